package command_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each format that the command knows reads the sample of its system. A dry run imports nothing, and
// names the users.
func TestCommand_ReadsExportsOfOtherSystems(t *testing.T) {
	o := &operator{t: t, store: "sqlite:" + filepath.Join(t.TempDir(), "acme.db"),
		keys: filepath.Join(t.TempDir(), "keys")}
	o.does("init")
	old := filepath.Join(t.TempDir(), "old")
	require.NoError(t, os.WriteFile(old, []byte("\nbase64:YIyJSH/tEkyCffp6xqK+a29B8rXLda29h0JCO"+
		"+z9d9o=\nan instance secret that a test may know\n"+
		"a secret of better-auth that a test may know\n"+
		"YSBrZXkgb2YgMzIgYnl0ZXMsIGtub3duIHRvIGFsbC4\n"), 0o600))
	for format, c := range map[string]struct{ file, want string }{
		"auth0":       {"auth0.json", "auth0|5f7c8ec7c33c6c004bbafe85\tcan be imported: totp; not moved: "},
		"authboss":    {"authboss.csv", "ann@example.com\tcan be imported: totp, recovery; to be"},
		"authelia":    {"authelia.csv", "ann\tcan be imported: totp\n"},
		"better-auth": {"better-auth.jsonl", "\tfailed: nothing of the user can be moved; not mov"},
		"django":      {"django-otp.json", "12\tcan be imported: totp, recovery"},
		"fortify":     {"fortify.json", "1\tcan be imported: totp, recovery\n"},
		"google":      {"google.txt", "ann\tcan be imported: totp\n"},
		"keycloak":    {"keycloak.json", "8b\tcan be imported: totp\n"},
		"kratos":      {"kratos.json", "3c11\tcan be imported: totp, recovery, passkey; to be"},
		"nextcloud":   {"nextcloud.jsonl", "bob\tcan be imported: totp; not moved: a backup code"},
		"supabase":    {"supabase.jsonl", "9b11\tcan be imported: totp, passkey; not moved: a factor"},
	} {
		t.Run(format, func(t *testing.T) {
			r := o.run(act("import", "-dry-run", "-format", format, "-old-keys", old,
				"../../../importing/testdata/"+c.file)...)
			require.Contains(t, r.out, c.want, r.messages)
		})
	}
	lost := o.run(act("import", "-format", "fortify",
		"../../../importing/testdata/fortify.json")...)
	require.Contains(t, lost.out, "none of the keys decrypts")
	require.Equal(t, 1, lost.code, "nothing was done")
}
