package plainname_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/plainname"
)

// seen are characters as users see them, each of several code points or bytes.
var seen = []string{
	"a", "é", "e\u0301", "日", "👍", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈",
	"🇳🇴", "🇳🇱", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "❤️", "👩🏿‍🚀",
	"한", "\u1112\u1161\u11ab", "क्षि", "ி", "กำ", "שׁ", "ﾊﾞ",
}

// A name of any of these characters, in any order, is cut between two of them.
func TestCut_EndsBetweenCharacters(t *testing.T) {
	for i := range seen {
		for _, step := range []int{1, 2, 5, 8} {
			var name string
			borders := map[int]bool{0: true}
			for j := range 12 {
				s := seen[(i+j*step)%len(seen)]
				if s == "ி" { // a mark begins no character
					continue
				}
				name += s
				borders[len(name)] = true
			}
			for most := 28; most <= len(name); most++ { // the longest has 28 bytes
				got := plainname.Cut(name, most)
				require.LessOrEqual(t, len(got), most)
				require.True(t, strings.HasPrefix(name, got))
				require.True(t, borders[len(got)], "%q cut to %q", name, got)
			}
		}
	}
}

// A cut takes no more off than it must.
func TestCut_KeepsWhatFits(t *testing.T) {
	require.Equal(t, "phone", plainname.Cut("phone", 5))
	require.Equal(t, "phon", plainname.Cut("phone", 4))
	require.Equal(t, "Anna 👍🏽", plainname.Cut("Anna 👍🏽👍🏽", 14))
	require.Equal(t, "🇳🇴🇳🇱", plainname.Cut("🇳🇴🇳🇱🇩🇰", 20))
	require.Equal(t, "", plainname.Cut("日", 2))
}

// One character that is longer than all there is room for is cut between code points.
func TestCut_OfOneLongCharacter(t *testing.T) {
	long := "e" + strings.Repeat("\u0301", 100)
	got := plainname.Cut(long, 64)
	require.True(t, utf8.ValidString(got))
	require.Len(t, got, 63)
}
