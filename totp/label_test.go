package totp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
)

// A name that is too long for a label loses whole characters, as users see them.
func TestURI_CutsNoCharacterApart(t *testing.T) {
	f := newFactor(t)
	for _, seen := range []string{"👨‍👩‍👧", "👍🏽", "🇳🇴", "é", "e\u0301"} {
		for room := range len(seen) {
			before := strings.Repeat("a", 64-room)
			_, u := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42", Account: "ann"},
				Name: before + seen})
			require.Equal(t, "/Acme:ann ("+before+")", u.Path, seen)
		}
	}
}
