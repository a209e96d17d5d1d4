package command_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// auditor makes an audit trail for the operator's acts and verifies it.
type auditor struct {
	t                  *testing.T
	where, key, public string
}

// auditedBy lets every command of the operator write to an audit trail.
func (o *operator) auditedBy(t *testing.T, where string) auditor {
	t.Helper()
	key := filepath.Join(t.TempDir(), "trail.key")
	o.env = append(o.env, "SECONDGATE_TRAIL="+where, "SECONDGATE_TRAIL_KEY="+key,
		"SECONDGATE_TRAIL_ORIGIN=acme.example/trail")
	public := o.atOnce("trail", "init")
	require.Equal(t, public, o.does("trail", "init").out, "the key stays as it is")
	return auditor{t, where, key, strings.TrimSpace(public)}
}

// verify runs trail verify as an auditor without the store and without a private key does.
func (a auditor) verify(args ...string) result {
	a.t.Helper()
	cmd := exec.Command(program, append([]string{"trail", "verify", "-public", a.public,
		"-trail", a.where, "-trail-origin", "acme.example/trail"}, args...)...)
	cmd.Env = []string{}
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	_ = cmd.Run()
	require.NotNil(a.t, cmd.ProcessState)
	return result{out.String(), messages.String(), cmd.ProcessState.ExitCode()}
}

func (a auditor) checkpoint() string {
	a.t.Helper()
	r := a.verify("-json")
	require.Zero(a.t, r.code, r.messages)
	var v struct{ Checkpoint string }
	require.NoError(a.t, json.Unmarshal([]byte(r.out), &v))
	return v.Checkpoint
}

// Every act lands in the audit trail before its effect, with its operator and its reason.
func TestTrail_HasEveryActOfTheCommand(t *testing.T) {
	engines(t, func(t *testing.T, o *operator) {
		where := filepath.Join(t.TempDir(), "trail.jsonl")
		if scheme, _, _ := strings.Cut(o.store, ":"); scheme == "sqlite" || scheme == "postgres" {
			where = o.store // the table is in the application's database
		}
		a := o.auditedBy(t, where)
		o.moveIn("id,otp,codes", "ann,"+key+",", "bob,"+key+",")
		acts := [][]string{act("unlock", "ann"), act("access-code", "ann"), act("reset", "ann"),
			act("export", "ann"), act("delete", "ann"), act("rotate"),
			act("keys add")}
		for _, args := range acts {
			o.does(args...)
		}
		shown := o.does("trail", "show").out
		for _, args := range append(acts, act("import")) {
			name, _, _ := strings.Cut(strings.Join(args, "-"), "--by")
			require.Regexp(t, `command\.`+name+` .*carol +ticket 4711`, shown)
		}
		require.Regexp(t, `keys\.added +[0-9a-f]{16} +carol +ticket 4711`, shown)
		require.Regexp(t, `(?s)command\.reset +ann .*admin\.reset +ann `, shown)
		ann := o.does("trail", "show", "-user", "ann").out
		require.Regexp(t, `admin\.unlock +ann +carol +ticket 4711`, ann)
		require.NotContains(t, ann, "bob")
		require.NotContains(t, o.does("trail", "show", "-user", "ann", "-tenant", "acme").out,
			"ann ")
		var e trail.Entry
		line, _, _ := strings.Cut(o.does("trail", "show", "-json").out, "\n")
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		require.EqualValues(t, 1, e.Seq)
		require.Contains(t, a.verify().out, "entries verify")
	})
}

// An auditor finds an entry that was altered, and an end that was cut off.
func TestTrailVerify_FindsWhatWasAlteredOrCutOff(t *testing.T) {
	o := onSQLite(t)
	a := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	o.moveIn("id,otp,codes", "ann,"+key+",")
	before, err := os.ReadFile(a.where)
	require.NoError(t, err)
	o.does(act("reset", "ann")...)
	anchor := filepath.Join(t.TempDir(), "anchor")
	require.NoError(t, os.WriteFile(anchor, []byte(a.checkpoint()), 0o600))
	require.Zero(t, a.verify("-anchor", anchor).code)
	output := filepath.Join(t.TempDir(), "output")
	require.NoError(t, os.WriteFile(output, []byte(a.verify().out), 0o600))
	require.Zero(t, a.verify("-anchor", output).code, "the whole output is an anchor too")

	whole, err := os.ReadFile(a.where)
	require.NoError(t, err)
	altered := bytes.Replace(whole, []byte("ticket 4711"), []byte("ticket 4712"), 1)
	require.NoError(t, os.WriteFile(a.where, altered, 0o600))
	r := a.verify()
	require.Equal(t, 4, r.code, r.messages)
	require.Regexp(t, `^Entry \d+: its personal part was altered\.\n`, r.out)
	require.Contains(t, a.verify("-json").out, `"problem":"its personal part was altered"`)

	require.NoError(t, os.WriteFile(a.where, before, 0o600))
	require.Zero(t, a.verify().code, "nothing shows it without an anchor")
	require.Equal(t, 4, a.verify("-anchor", anchor).code)
	require.Equal(t, 4, a.verify("-anchor", output).code)
	require.Equal(t, 2, a.verify("-public", "none").code)
}

// An auditor verifies a copy that cannot be written, and gets no file where there is none.
func TestTrailVerify_WritesNothing(t *testing.T) {
	o := onSQLite(t)
	a := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	o.moveIn("id,otp,codes", "ann,"+key+",")
	text, err := os.ReadFile(a.where)
	require.NoError(t, err)
	dir := t.TempDir()
	a.where = filepath.Join(dir, "copy.jsonl")
	require.Equal(t, 1, a.verify().code)
	require.NoError(t, os.WriteFile(a.where, text, 0o400))
	require.Zero(t, a.verify().code)
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

// An act is refused where the trail cannot keep it, and the refusal changes nothing.
func TestTrail_RefusesActsThatItCannotKeep(t *testing.T) {
	o := onSQLite(t)
	o.moveIn("id,otp,codes", "ann,"+key+",")
	a := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	o.does(act("unlock", "ann")...)
	text, err := os.ReadFile(a.where)
	require.NoError(t, err)
	forged := bytes.ReplaceAll(text, []byte("acme.example/trail"), []byte("acme.example/other"))
	require.NoError(t, os.WriteFile(a.where, forged, 0o600))
	r := o.run(act("reset", "ann")...)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.messages, "nothing was done, because the audit trail cannot be written")
	require.NoError(t, os.WriteFile(a.where, text, 0o600))
	require.Len(t, o.json("status", "-json", "ann")["factors"], 1)

	for _, where := range []string{"redis://localhost", "mysql://localhost", "etcd://localhost"} {
		require.Equal(t, 2, o.run(act("reset", "-trail", where, "ann")...).code)
	}
	o.env = append(o.env, "SECONDGATE_TRAIL_KEY=")
	require.Equal(t, 2, o.run(act("reset", "ann")...).code, "a trail without its key")
}

// The key of the trail is for its owner alone.
func TestTrailInit_MakesAPrivateKey(t *testing.T) {
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	o := newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL))
	path := o.auditedBy(t, dsn).key
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.NoError(t, os.Chmod(path, 0o640))
	require.Contains(t, o.run(act("rotate")...).messages, "run chmod 600")
	require.Equal(t, 2, o.run("trail", "verify").code, "without a public key")
}

// restoring has a user who signs in by recovery codes, and an audit trail of it.
type restoring struct {
	*operator
	auditor
	store storage.Store
}

const (
	annsRecord       = "p/0//ann"
	codeOne, codeTwo = "abcd-1234-efgh-5678", "ijkl-1234-mnop-5678"
)

func newRestoring(t *testing.T) *restoring { return restoringBy(t, onSQLite(t)) }

func restoringBy(t *testing.T, o *operator) *restoring {
	t.Helper()
	a := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	o.moveIn("id,otp,codes", `ann,`+key+`,"`+codeOne+","+codeTwo+`"`)
	return &restoring{o, a, o.open()}
}

// signIn signs the user in, by an application that keeps the audit trail.
func (r *restoring) signIn(code string) {
	t := r.operator.t
	t.Helper()
	file, err := trail.OpenFile(r.where)
	require.NoError(t, err)
	text, err := os.ReadFile(r.key)
	require.NoError(t, err)
	signer, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	audit, err := trail.New(trail.Config{Log: file, Key: secret.Bytes(signer),
		Origin: "acme.example/trail"})
	require.NoError(t, err)
	m := r.application(func(c *mfa.Config) { c.Events = audit.Events(nil) })
	s := m.Session(mfa.User{ID: "ann", Enrolled: true}, "a session")
	ch, err := s.Begin(t.Context())
	require.NoError(t, err)
	_, err = s.Verify(t.Context(), ch, "recovery", secret.New(code))
	require.NoError(t, err)
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, audit.Run(ended), "it writes what waits")
}

func (r *restoring) record() storage.Record {
	r.operator.t.Helper()
	record, err := r.store.Get(r.operator.t.Context(), annsRecord)
	require.NoError(r.operator.t, err)
	return record
}

// backUp returns the record, and when it was read. It returns in the next millisecond, as an entry
// of a trail has no smaller part of a second.
func (r *restoring) backUp() (record storage.Record, made string) {
	r.operator.t.Helper()
	record, read := r.record(), time.Now().UTC()
	for !time.Now().Truncate(time.Millisecond).After(read) {
	}
	return record, read.Format(time.RFC3339Nano)
}

// putBack puts an older record of the user into the store.
func (r *restoring) putBack(older storage.Record) {
	r.operator.t.Helper()
	next := storage.Record{Revision: storage.Revision(rand.Text()), Data: older.Data}
	require.NoError(r.operator.t, r.store.Swap(r.operator.t.Context(), annsRecord,
		r.record().Revision, next))
}

// An older record that an attacker puts back makes a used code valid, and is found then.
func TestTrailVerify_FindsAnOlderRecord(t *testing.T) {
	r := newRestoring(t)
	older := r.record()
	r.signIn(codeOne)
	r.signIn(codeTwo)
	require.Zero(t, r.auditor.verify().code)
	r.putBack(older)
	r.signIn(codeOne)
	found := r.auditor.verify()
	require.Equal(t, 4, found.code, found.messages)
	require.Regexp(t, `Entry \d+: the record of user "ann", tenant "", is older than at entry \d+\.`,
		found.out)
	require.Contains(t, found.out, "say so with trail restored")
	require.Contains(t, r.auditor.verify("-json").out, `"restored":false`)
}

// A backup that the operator restored is reported as one, with what to do.
func TestTrailVerify_KnowsARestoredBackup(t *testing.T) {
	r := newRestoring(t)
	older := r.record()
	r.signIn(codeOne)
	backup, made := r.backUp()
	r.signIn(codeTwo)
	r.putBack(backup)
	restored := []string{"trail", "restored", "-by", "carol", "-reason", "ticket 4711", "-backup"}
	require.Equal(t, 2, r.run(append(restored, "yesterday")...).code)
	r.does(append(restored, made)...)
	r.signIn(codeTwo)
	found := r.auditor.verify()
	require.Zero(t, found.code, found.out)
	require.Regexp(t, `the record of user "ann", tenant "", is restored from a backup`, found.out)
	require.Contains(t, found.out, "ask these users to make new recovery codes")
	require.Regexp(t, `command\.trail-restored +[0-9TZ:.-]+ +carol +ticket 4711`,
		r.does("trail", "show").out)

	r.putBack(older)
	r.signIn(codeOne)
	require.Equal(t, 4, r.auditor.verify().code, "a record from before the backup")
}

// A user is erased from the trail, which still verifies; who did it and why stays.
func TestTrailErase_RemovesAUserAndStillVerifies(t *testing.T) {
	for name, where := range map[string]func(*operator) string{
		"file":  func(o *operator) string { return filepath.Join(o.t.TempDir(), "trail.jsonl") },
		"table": func(o *operator) string { return o.store },
	} {
		t.Run(name, func(t *testing.T) {
			o := onSQLite(t)
			a := o.auditedBy(t, where(o))
			o.moveIn("id,otp,codes", "ann,"+key+",", "bob,"+key+",")
			o.does(act("reset", "bob")...)
			o.does("reset", "-by", "dave", "-reason", "the phone of ann", "ann")
			anchor := filepath.Join(t.TempDir(), "anchor")
			require.NoError(t, os.WriteFile(anchor, []byte(a.checkpoint()), 0o600))
			require.Equal(t, 2, o.run("trail", "erase", "ann").code, "it needs an operator")

			other := o.does(act("trail erase", "-tenant", "acme", "ann")...)
			require.Contains(t, other.out, "0 entries about ann")
			require.Contains(t, o.does("trail", "show").out, "dave")
			require.EqualValues(t, 3, o.json(act("trail erase", "-json", "ann")...)["entries"])
			shown := o.does("trail", "show").out
			require.NotRegexp(t, `\bann\b|dave`, shown)
			require.Regexp(t, `admin\.reset +bob +carol`, shown)
			require.Regexp(t, `command\.trail-erase +carol +ticket 4711`, shown)
			require.Contains(t, shown, "trail.erased")
			require.Empty(t, o.does("trail", "show", "-json", "-user", "ann").out)
			require.Contains(t, a.verify("-anchor", anchor).out, "3 of them have no personal part")
			o.does(act("trail erase", "ann")...)
			require.Zero(t, a.verify().code, "a repetition changes nothing")
		})
	}
}
