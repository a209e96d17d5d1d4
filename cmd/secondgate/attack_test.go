package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

// desk is an operator's store, keys and audit trail.
type desk struct {
	*testing.T
	dir string
}

func newDesk(t *testing.T) desk {
	d := desk{t, t.TempDir()}
	t.Setenv("SECONDGATE_STORE", "sqlite:"+d.at("acme.db"))
	t.Setenv("SECONDGATE_KEY_FILE", d.at("acme.keys"))
	t.Setenv("SECONDGATE_TRAIL", d.at("trail.jsonl"))
	t.Setenv("SECONDGATE_TRAIL_KEY", d.at("trail.key"))
	t.Setenv("SECONDGATE_TRAIL_ORIGIN", "acme.example/trail")
	for _, args := range [][]string{{"init"}, {"trail", "init"}} {
		_, messages, code := d.run(args...)
		require.Zero(t, code, messages)
	}
	return d
}

func (d desk) at(name string) string { return filepath.Join(d.dir, name) }

func (d desk) file(name, text string, mode os.FileMode) string {
	require.NoError(d, os.WriteFile(d.at(name), []byte(text), mode))
	return d.at(name)
}

func (d desk) run(args ...string) (out, messages string, code int) {
	var o, m bytes.Buffer
	code = run(d.Context(), args, &o, &m)
	return o.String(), m.String(), code
}

// act runs a command that needs an operator and a reason.
func (d desk) act(args ...string) (out, messages string, code int) {
	name := strings.Fields(args[0])
	return d.run(append(append(name, "-by", "carol", "-reason", "ticket"), args[1:]...)...)
}

// hostile clears a terminal, asks it to type, sets its clipboard, changes the direction of what
// follows, begins a line and a column of its own, and has characters that nobody sees.
const hostile = "ann\x1b[2J\x1b]52;c;bHM=\x07\u009b31m\u202eadmin\u2066\x00\r\nbob\timported totp" +
	"\u200f\u200b\ufeff\u00ad\u061c\U000e0041\u200d"

// A user who chooses a name, an ID or a reason controls no operator's terminal, and writes no line
// of their own. JSON says what was said.
func TestOutput_ControlsNoTerminal(t *testing.T) {
	d := newDesk(t)
	line, err := json.Marshal(map[string]any{"id": hostile, "not_moved": []string{hostile},
		"factors": []any{map[string]any{"kind": "totp",
			"params": map[string]string{"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}}})
	require.NoError(t, err)
	users := d.file("users.jsonl", string(line)+"\n", 0o600)
	shown := ""
	for _, args := range [][]string{{"import", users}, {"import", "-json", users},
		{"unlock", "-reason", hostile, hostile}} {
		out, messages, _ := d.act(args...)
		shown += out + messages
		if args[0] == "import" && args[1] != "-json" {
			require.Equal(t, 1, strings.Count(out, "\n"), out)
			require.Equal(t, 1, strings.Count(out, "\t"), out)
		}
		if args[1] == "-json" {
			var said struct{ ID string }
			require.NoError(t, json.Unmarshal([]byte(out), &said), out)
			require.Equal(t, hostile, said.ID)
		}
	}
	for _, args := range [][]string{{"status", hostile}, {"status", "nobody\xff\x9b31m"},
		{"report"}, {"trail", "show"}, {"trail", "show", "-json"}, {hostile},
		{"trail", "init", hostile}} {
		out, messages, _ := d.run(args...)
		shown += out + messages
	}
	require.Contains(t, shown, `ann\u001b[2J`)
	require.Contains(t, shown, `\u200f\u200b\ufeff\u00ad\u061c\udb40\udc41`+"\u200d")
	require.NotContains(t, strings.ReplaceAll(shown, "\n", ""), "\r")
	require.Equal(t, shown, strings.ToValidUTF8(shown, "?"))
	for _, r := range shown {
		require.False(t, controlling(r) && r != '\n' && r != '\t', "%q", r)
	}
}

// A file with a secret that other users of the machine may read is refused, whatever it is for.
func TestSecrets_OfOthersAreRefused(t *testing.T) {
	d := newDesk(t)
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	sealed := d.at("users.age")
	phrase := d.file("phrase", "four words and a number 7\n", 0o600)
	_, messages, _ := d.act("import", "-format", "json", d.file("u.jsonl",
		`{"id": "ann", "factors": [{"kind": "totp", "params": {"secret": `+
			`"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}`, 0o600))
	require.Contains(t, messages, "1 imported")
	_, messages, code := d.act("move-out", "-recipient", identity.Recipient().String(), sealed)
	require.Zero(t, code, messages)
	key := d.file("identity", identity.String(), 0o600)
	for name, c := range map[string]struct {
		path string
		args []string
	}{
		"identity":   {key, []string{"import", "-identity", key, sealed}},
		"passphrase": {phrase, []string{"import", "-passphrase", phrase, sealed}},
		"old keys": {phrase, []string{"import", "-format", "fortify", "-old-keys", phrase,
			d.at("u.jsonl")}},
		"PIN": {phrase, []string{"rotate", "-vault", "pkcs11:token=a;object=b?module-path=/none" +
			"&pin-source=file:" + phrase}},
		"trail": {d.at("trail.key"), []string{"rotate"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, messages, _ := d.act(c.args...)
			require.NotContains(t, messages, "chmod")
			for _, mode := range []os.FileMode{0o640, 0o604} {
				require.NoError(t, os.Chmod(c.path, mode))
				_, messages, code := d.act(c.args...)
				require.Equal(t, 1, code)
				require.Contains(t, messages, "other users may read "+c.path)
			}
			require.NoError(t, os.Chmod(c.path, 0o600))
		})
	}
}

// A file says how much work its passphrase takes. One that an attacker made cannot keep the import
// for hours, or fill the memory.
func TestImport_BoundsTheWorkOfAPassphrase(t *testing.T) {
	d := newDesk(t)
	phrase := d.file("phrase", "four words and a number 7\n", 0o600)
	for _, work := range []string{"19", "30", "99999999999999999999"} {
		sealed := d.file("users.age", "age-encryption.org/v1\n-> scrypt "+
			strings.Repeat("A", 22)+" "+work+"\n"+strings.Repeat("A", 43)+"\n--- "+
			strings.Repeat("A", 43)+"\n", 0o600)
		_, messages, code := d.act("import", "-passphrase", phrase, sealed)
		require.Equal(t, 1, code)
		require.Contains(t, messages, "nothing was imported: the file asks for more work than "+
			"move-out does")
		require.Contains(t, messages, "of 18 at most")
	}
}

// A secret that is given in place of what is public is in no message.
func TestMoveOut_QuotesNoIdentity(t *testing.T) {
	d := newDesk(t)
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	out, messages, code := d.act("move-out", "-recipient", identity.String(), d.at("users.age"))
	require.Equal(t, exitUsage, code)
	require.NotContains(t, out+messages, identity.String()[:30])
}

// A file that was made for one tenant imports nobody into another.
func TestImport_KeepsToItsTenant(t *testing.T) {
	d := newDesk(t)
	factors := `"factors": [{"kind": "totp", "params": {"secret": ` +
		`"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}` + "\n"
	users := d.file("users.jsonl", `{"id": "ann", `+factors+`{"id": "bob", "tenant": "acme", `+
		factors+`{"id": "boss", "tenant": "bank", `+factors, 0o600)
	out, messages, code := d.act("import", "-tenant", "acme", users)
	require.Equal(t, exitPartly, code, messages)
	require.Contains(t, messages, "2 imported")
	require.Contains(t, out, "boss\tfailed: the file names the tenant \"bank\"")
	_, _, code = d.run("status", "-tenant", "bank", "boss")
	require.Equal(t, exitFailed, code)
	_, _, code = d.run("status", "-tenant", "acme", "ann")
	require.Zero(t, code)
}

// What a user is given of their own passkeys is for the domain that they are for, or names none.
func TestExport_HasNoDomainThatIsNotThePasskeys(t *testing.T) {
	d := newDesk(t)
	out, messages, _ := d.act("import", "-format", "kratos",
		"../../importing/testdata/kratos.json")
	require.Contains(t, out, "passkey", messages)
	user, _, _ := strings.Cut(out, "\timported totp, recovery, passkey")
	user = user[strings.LastIndex(user, "\n")+1:]
	passkeyOf := func(args ...string) (data map[string]any, record string) {
		out, messages, code := d.act(append(append([]string{"export"}, args...), user)...)
		require.Zero(t, code, messages)
		require.NotContains(t, out, "secondgate.invalid")
		var read struct {
			Factors []struct {
				Kind, Export string
				Data         map[string]any
			}
		}
		require.NoError(t, json.Unmarshal([]byte(out), &read))
		for _, f := range read.Factors {
			if f.Kind == passkeyKind {
				return f.Data, f.Export
			}
		}
		return nil, ""
	}
	data, record := passkeyOf()
	require.NotContains(t, data, "rpId")
	require.NotEmpty(t, data["credentialId"])
	require.Empty(t, record)
	data, record = passkeyOf("-rp-id", "acme.example")
	require.Equal(t, "acme.example", data["rpId"])
	text, err := base64.RawStdEncoding.DecodeString(record[strings.LastIndexByte(record, '$')+1:])
	require.NoError(t, err, record)
	want := sha256.Sum256([]byte("acme.example"))
	require.Equal(t, want[:], text[:len(want)])
}
