package admin

import (
	"strings"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Says returns the key of the text for an event, or "" for one that another package emitted.
func (p userPage) Says(event string) string { return ui.EventText(event, p.Kinds) }

// About returns the key of the text for the event that a notice was about, or "".
func (p userPage) About(e eventJSON) string {
	if strings.HasPrefix(e.Event, "notice.") {
		return p.Says(e.Reason)
	}
	return ""
}
