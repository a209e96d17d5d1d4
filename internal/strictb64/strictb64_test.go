package strictb64_test

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/strictb64"
)

// Each value has one spelling: the text that is decoded is the one that encoding it gives. Texts
// of every length have a line break put in at every place, and every last character.
func TestDecode_HasOneSpelling(t *testing.T) {
	for _, c := range []struct {
		enc    *base64.Encoding
		decode func(string) ([]byte, error)
	}{
		{base64.RawURLEncoding, strictb64.DecodeURL}, {base64.RawStdEncoding, strictb64.DecodeStd},
	} {
		for n := range 40 {
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(251 + 7*i)
			}
			text := c.enc.EncodeToString(data)
			got, err := c.decode(text)
			require.NoError(t, err)
			require.Equal(t, data, got)
			for at := range len(text) + 1 {
				for _, put := range []string{"\n", "\r", "\r\n", "\n\n\n\n", " ", "=", "\x00"} {
					_, err := c.decode(text[:at] + put + text[at:])
					require.Error(t, err, "%q in %q at %d", put, text, at)
				}
			}
			for last := range 256 {
				if n == 0 {
					break
				}
				other := text[:len(text)-1] + string([]byte{byte(last)})
				if got, err := c.decode(other); err == nil {
					require.Equal(t, other, c.enc.EncodeToString(got))
				}
			}
		}
	}
}

// A text of line breaks only has the length of a token and would decode to nothing.
func TestDecode_RefusesLineBreaksOnly(t *testing.T) {
	for _, text := range []string{"\n", "\r\n\r\n", "\n\n\n\n\n\n\n\n"} {
		_, err := strictb64.DecodeURL(text)
		require.Error(t, err)
		_, err = strictb64.DecodeStd(text)
		require.Error(t, err)
	}
}
