package importing_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/internal/brief"
)

// endless is a file that goes on for ever, and counts what is read of it.
type endless struct{ read int }

// Read implements io.Reader.
func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	e.read += len(b)
	if e.read > 1<<30 {
		return 0, io.ErrUnexpectedEOF // of a memory that an import would have filled
	}
	return len(b), nil
}

// A file whose line, string or number of spaces does not end ends the import, and fills no memory.
// The users before it are yielded, however many there are.
func TestUsers_OfAnEndlessLineEnd(t *testing.T) {
	brief.SkipOneGoroutine(t)
	csv := func(r io.Reader) importing.Users {
		return importing.CSV(r, importing.Columns{ID: "id", Secret: "secret"})
	}
	auth0 := func(r io.Reader) importing.Users { return importing.Auth0(r) }
	for name, c := range map[string]struct {
		open  func(io.Reader) importing.Users
		begin string
		users int
	}{
		"JSON lines": {importing.JSONLines, strings.Repeat(`{"id":"ann","factors":[]}`, 9) +
			`{"id":"`, 9},
		"CSV":       {csv, "id,secret\n" + strings.Repeat("ann,AAAA\n", 9), 9},
		"CSV quote": {csv, "id,secret\n\"", 0},
		"Keycloak":  {importing.Keycloak, `{"id":"`, 0},
		"rows":      {auth0, `[{"user_id":"`, 0},
		"Django":    {importing.Django, `[{"model":"auth.user"},{"model":"`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			file, users := &endless{}, 0
			var failed error
			for _, err := range c.open(io.MultiReader(strings.NewReader(c.begin), file)) {
				if err != nil {
					failed = err
					break
				}
				users++
			}
			require.Error(t, failed)
			require.Equal(t, c.users, users)
			require.Less(t, file.read, 64<<20)
		})
	}
}

// rows is a fixture of Django whose rows go on for ever.
type rows struct {
	row  string
	rest string
	read int
}

// Read implements io.Reader.
func (r *rows) Read(b []byte) (int, error) {
	if r.rest == "" {
		r.rest = r.row + ","
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	if r.read += n; r.read > 3<<20 {
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

// A fixture is in no order of users, so its factors are kept, and they have a bound. Rows that have
// no factor are not kept.
func TestDjango_KeepsABoundedNumberOfFactors(t *testing.T) {
	const most = 1 << 20
	for name, row := range map[string]string{
		"devices": `{"model":"otp_totp.totpdevice","fields":{"user":1,"key":"00","confirmed":true}}`,
		"static":  `{"model":"otp_static.staticdevice","pk":1,"fields":{"confirmed":true}}`,
		"tokens":  `{"model":"otp_static.statictoken","fields":{"device":1,"token":"abc"}}`,
		"allauth": `{"model":"mfa.authenticator","fields":{"type":"totp","data":{"secret":"AA"}}}`,
		"empty": `{"model":"mfa.authenticator","fields":{"type":"recovery_codes","data":` +
			`{"migrated_codes":[` + strings.Repeat(`"",`, 999) + `""]}}}`,
		"codes": `{"model":"mfa.authenticator","fields":{"type":"recovery_codes","data":` +
			`{"used_mask":0,"seed":"` + strings.Repeat("a1", 40) + `"}}}`,
	} {
		file := &rows{row: row, rest: "["}
		require.ErrorContains(t, importing.ReadFixture(file, most), "do not fit", name)
		require.Less(t, file.read, 2<<20, name)
	}
	file := &rows{row: `{"model":"auth.user","fields":{"password":"argon2"}}`, rest: "["}
	require.ErrorIs(t, importing.ReadFixture(file, most), io.ErrUnexpectedEOF)
	require.Greater(t, file.read, 3<<20, "it was read to its end")
}
