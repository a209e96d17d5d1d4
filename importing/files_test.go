package importing_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/secret"
)

// sample is a file of a system.
type sample struct {
	name string
	open func(io.Reader) importing.Users
	// openEnded says that a file has one object or line after the other, so that nothing shows that
	// one which ends behind a line was cut off.
	openEnded bool
}

func samples() []sample {
	keyed := func(
		open func(io.Reader, ...secret.Text) importing.Users, key string,
	) func(io.Reader) importing.Users {
		return func(r io.Reader) importing.Users { return open(r, secret.New(key)) }
	}
	csv := func(c importing.Columns) func(io.Reader) importing.Users {
		return func(r io.Reader) importing.Users { return importing.CSV(r, c) }
	}
	return []sample{
		{"allauth.json", importing.Django, false},
		{"auth0.json", importing.Auth0, false},
		{"authboss.csv", csv(importing.Authboss()), true},
		{"authelia.csv", csv(importing.Authelia()), true},
		{"better-auth.jsonl", keyed(importing.BetterAuth, betterKey), true},
		{"django-otp.json", importing.Django, false},
		{"fortify.json", keyed(importing.Fortify, laravelKey), false},
		{"keycloak.json", importing.Keycloak, false},
		{"kratos.json", importing.Kratos, false},
		{"nextcloud.jsonl", keyed(importing.Nextcloud, nextcloudKey), true},
		{"supabase.jsonl", keyed(importing.Supabase, supabaseKey), true},
	}
}

// read returns the IDs of the users of a file, and the error that ended it.
func (s sample) read(r io.Reader) (ids []string, ended error) {
	for u, err := range s.open(r) {
		if err != nil && u.ID == "" {
			ended = err
			continue
		}
		ids = append(ids, u.ID)
	}
	return ids, ended
}

func (s sample) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + s.name)
	require.NoError(t, err)
	return strings.TrimSpace(string(text)) + "\n"
}

// What was cut off a file by a full disk is missing users. A file that ends between two of them
// says so where its form shows it.
func TestReaders_NoticeAFileThatIsCutOff(t *testing.T) {
	for _, s := range samples() {
		if s.openEnded {
			continue
		}
		text := strings.TrimSpace(s.text(t))
		for end := range text {
			if !strings.ContainsRune("]},:", rune(text[end])) && end%31 != 0 {
				continue
			}
			_, ended := s.read(strings.NewReader(text[:end]))
			require.Error(t, ended, "%s: %s", s.name, text[:end])
		}
	}
}

// Files that a shell has put together have the users of each.
func TestReaders_ReadFilesThatFollowEachOther(t *testing.T) {
	for _, s := range samples() {
		if strings.HasSuffix(s.name, ".csv") || strings.Contains(s.name, "django") ||
			s.name == "allauth.json" {
			continue // a table begins with its head, and keys join the rows of Django
		}
		one, ended := s.read(strings.NewReader(s.text(t)))
		require.NoError(t, ended, s.name)
		require.NotEmpty(t, one)
		both, ended := s.read(strings.NewReader(s.text(t) + s.text(t)))
		require.NoError(t, ended, s.name)
		require.Equal(t, append(one[:len(one):len(one)], one...), both, s.name)
		_, ended = s.read(strings.NewReader(s.text(t) + "and more"))
		require.Error(t, ended, s.name)
	}
}

// Programs of Windows write a byte order mark before the text.
func TestReaders_ReadAByteOrderMark(t *testing.T) {
	for _, s := range samples() {
		plain, ended := s.read(strings.NewReader(s.text(t)))
		require.NoError(t, ended, s.name)
		text := strings.ReplaceAll("\ufeff"+s.text(t), "\n", "\r\n")
		marked, ended := s.read(strings.NewReader(text))
		require.NoError(t, ended, s.name)
		require.Equal(t, plain, marked, s.name)
	}
	quoted := sample{"", func(r io.Reader) importing.Users {
		return importing.CSV(r, importing.Columns{ID: "id"})
	}, true}
	ids, ended := quoted.read(strings.NewReader("\ufeff\"id\"\r\n\"ann\"\r\n"))
	require.NoError(t, ended)
	require.Equal(t, []string{"ann"}, ids)
	google, err := os.ReadFile("testdata/google.txt")
	require.NoError(t, err)
	for u := range importing.GoogleAuthenticator("\ufeff" + string(google)) {
		require.NotEmpty(t, u.ID)
	}
}

// A file that is no text says what it is, whatever its format was to be.
func TestReaders_SayWhatAFileIs(t *testing.T) {
	all := append(samples(), sample{"JSON lines", importing.JSONLines, true})
	for begins, is := range map[string]string{
		"\xff\xfe{\x00": "UTF-16", "\xfe\xff\x00{": "UTF-16", "\x1f\x8b\x08\x00": "gzip",
		"PK\x03\x04": "zip", "BZh91AY": "bzip2", "\xfd7zXZ\x00": "xz", "\x28\xb5\x2f\xfd": "zstd",
	} {
		for _, s := range all {
			ids, ended := s.read(strings.NewReader(begins))
			require.ErrorContains(t, ended, is, s.name)
			require.Empty(t, ids)
		}
	}
}

// A disk that fails, or a decryption, is not a file of another form.
func TestReaders_ReturnTheErrorOfTheirFile(t *testing.T) {
	broken := errors.New("the disk fails")
	for _, s := range append(samples(), sample{"JSON lines", importing.JSONLines, true}) {
		begun := `{"id":`
		if s.name != "JSON lines" {
			text := s.text(t)
			begun = text[:len(text)/2]
		}
		for _, begins := range []string{"", "\n", begun} {
			_, ended := s.read(io.MultiReader(strings.NewReader(begins),
				iotest.ErrReader(broken)))
			require.ErrorIs(t, ended, broken, s.name)
			require.Equal(t, 1, strings.Count(ended.Error(), "cannot be read"), ended)
		}
	}
}

// The app shows the accounts of a user who has many in several QR codes.
func TestGoogleAuthenticator_ReadsSeveralCodes(t *testing.T) {
	text, err := os.ReadFile("testdata/google.txt")
	require.NoError(t, err)
	count := func(text string) (n int, last error) {
		for _, err := range importing.GoogleAuthenticator(text) {
			n, last = n+1, err
		}
		return n, last
	}
	one, _ := count(string(text))
	both, _ := count(string(text) + "\r\n" + string(text))
	require.Equal(t, 2*one, both)
	for _, none := range []string{"", " \n"} {
		n, err := count(none)
		require.Equal(t, 1, n)
		require.ErrorContains(t, err, "no otpauth-migration URI")
	}
}

// The rows of one system are not those of another that has no factor.
func TestReaders_RefuseRowsOfOthers(t *testing.T) {
	for name, users := range map[string]importing.Users{
		"Fortify":  importing.Fortify(strings.NewReader(`[{"user_id": "ann"}]`)),
		"Auth0":    importing.Auth0(strings.NewReader(`{"id": "ann"}`)),
		"Keycloak": importing.Keycloak(strings.NewReader(`{"users": [{"uid": "ann"}]}`)),
		"Django": importing.Django(strings.NewReader(
			`[{"model": "auth.user", "pk": 1, "fields": {"password": "!"}}]`)),
		"no row": importing.Django(strings.NewReader(" \n")),
	} {
		n := 0
		for u, err := range users {
			n++
			require.Error(t, err, name)
			require.Empty(t, u.ID, name)
		}
		require.Equal(t, 1, n, name)
	}
	for range importing.Django(strings.NewReader("[]")) {
		t.Fatal("nobody has a factor")
	}
}
