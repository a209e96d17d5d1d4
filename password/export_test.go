package password

import "strings"

// CommonLines are the embedded common passwords.
func CommonLines() []string { return strings.Fields(commonText) }
