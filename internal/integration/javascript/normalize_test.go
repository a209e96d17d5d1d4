package javascript_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/typed"
)

// The code field reads what is typed as the server does, for every character of Unicode that both
// know. So no code that a page accepts is refused for its form.
func TestNormalizeCode_ReadsAsTheServer(t *testing.T) {
	_, err := os.ReadFile(modules + "/codefield.js") // a cached result is for this
	require.NoError(t, err)
	out, err := exec.Command(need(t, "node"), "testdata/normalize.mjs").Output()
	require.NoError(t, err)
	var read map[rune]string
	require.NoError(t, json.Unmarshal(out, &read))
	changed := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		got, ok := read[r]
		if got == "unknown" || r >= 0xd800 && r <= 0xdfff || !known(r) {
			continue
		}
		text := "1" + string(r) + "2"
		if !ok {
			got = text
		}
		want := typed.Clean(text)
		require.Equal(t, want, got, "%U", r)
		if want != text {
			changed++
		}
	}
	require.Greater(t, changed, 1000)
}

// known reports whether package unicode has the character.
func known(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z,
		unicode.Cc, unicode.Cf, unicode.Co)
}
