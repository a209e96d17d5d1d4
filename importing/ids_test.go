package importing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
)

// JSON may spell an ID with escapes, as PHP does with a slash and with letters outside ASCII. A
// user under another ID than the application's would sign in without a second factor.
func TestUsers_HaveTheIDsOfTheirSystem(t *testing.T) {
	for raw, want := range map[string]string{
		`7`: "7", `"ann"`: "ann", `"a\/b"`: "a/b", `"jos\u00e9"`: "josé", `"a\"b"`: `a"b`,
		`12345678901234567890`: "12345678901234567890",
		`null`:                 "", `true`: "", `[1]`: "", `{"a":1}`: "",
	} {
		fortify := `{"id":` + raw + `,"two_factor_secret":"x","two_factor_confirmed_at":null}`
		for u, err := range importing.Fortify(strings.NewReader(fortify)) {
			require.NoError(t, err, raw)
			require.Equal(t, want, u.ID, raw)
		}
		django := `[{"model":"otp_totp.totpdevice","fields":{"user":` + raw +
			`,"key":"00","confirmed":true}}]`
		for u, err := range importing.Django(strings.NewReader(django)) {
			require.NoError(t, err, raw)
			require.Equal(t, want, u.ID, raw)
		}
	}
}

// A table that was joined of two may name a column twice, and only its owner knows which is meant.
func TestCSV_RefusesAColumnThatIsThereTwice(t *testing.T) {
	columns := importing.Columns{ID: "id", Secret: "secret"}
	read := func(text string) (errs []error) {
		for _, err := range importing.CSV(strings.NewReader(text), columns) {
			errs = append(errs, err)
		}
		return errs
	}
	for _, text := range []string{"id,secret,secret\n1,AAAA,BBBB\n",
		"id,secret,id,id\n1,AAAA,2,3\n"} {
		errs := read(text)
		require.Len(t, errs, 1)
		require.ErrorContains(t, errs[0], "twice")
	}
	require.Equal(t, []error{nil}, read("id,name,secret,name\n1,x,AAAA,y\n"), "it is not read")
}
