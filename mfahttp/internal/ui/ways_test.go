package ui_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Each of the other ways that leads somewhere has the arrow, whether it is a link or a button.
func TestVerify_OtherWaysLookAlike(t *testing.T) {
	r := newUI(t)
	other := func(kind, id string) ui.Option {
		return ui.Option{Kind: kind, FactorID: id, Sends: kind == "sms"}
	}
	page := func(others ...ui.Option) string {
		return render(t, r, ui.Verify{Frame: frame("en"), Option: other("sms", "s1"), Sent: true,
			Others: others})
	}
	none, one, two := page(), page(other("sms", "s2")), page(other("sms", "s2"), other("totp", "t"))
	arrows := func(text string) int {
		return len(find(parse(t, text), "path"))
	}
	sms, totp := arrows(one)-arrows(none), arrows(two)-arrows(one)
	require.Equal(t, sms, totp, "an icon of the kind, and the arrow")
}
