package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The warning before a session or a page ends comes by how long the server says, on a device whose
// clock is an hour off, in either direction, and on one whose clock is set back meanwhile.
func TestPages_WarnWithAClockThatIsOff(t *testing.T) {
	b := openGallery(t)
	for name, off := range map[string]string{"behind": `-36e5`, "ahead": `36e5`,
		"set back": `performance.now() < 1000 ? 0 : -36e5`} {
		t.Run(name, func(t *testing.T) {
			b.before(`(() => { const now = Date.now; Date.now = () => now() + (` + off + `); })()`)
			for page, warned := range map[string]string{
				"session-ends":     `document.querySelector(".sg-session")`,
				"verify-totp-ends": `document.querySelector("[data-ends]")`} {
				b.goes(b.base + "/en/" + page + ".html")
				require.False(t, b.shows(warned), page) // there is more than two minutes
				b.becomes(warned+".checkVisibility()", page+" warns")
				var text string
				b.eval(warned+".textContent", &text)
				require.Regexp(t, `(2:00|1:5\d)`, text)
			}
		})
	}
}

// shows reports whether an element is visible.
func (b *tab) shows(element string) (shown bool) {
	b.t.Helper()
	b.eval(element+".checkVisibility()", &shown)
	return shown
}
