package command_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/cloudtest"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/internal/transittest"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// A key that is added with -standby opens and seals nothing until it is promoted; the one that
// seals is never retired.
func TestKeys_AreChangedForProcessesThatRestartInTurn(t *testing.T) {
	o := onSQLite(t)
	old := o.keyIDs()[0]
	added := o.does(act("keys add", "-standby")...)
	ids := o.keyIDs()
	require.Equal(t, old, ids[0])
	require.Contains(t, added.out, "secondgate keys promote "+ids[1])
	require.Contains(t, o.run(act("keys retire", old)...).messages, "seals")
	promoted := o.does(act("keys promote", ids[1])...)
	require.Contains(t, promoted.out, "secondgate rotate")
	require.Contains(t, promoted.messages, `"msg":"keys.promoted"`)
	require.Equal(t, []string{ids[1], old}, o.keyIDs())
	o.does(act("keys retire", old)...)
	require.Equal(t, []string{ids[1]}, o.keyIDs())
	for _, name := range []string{"keys promote", "keys retire"} {
		require.Contains(t, o.run(act(name, old)...).messages, "there is no key")
		require.Equal(t, 2, o.run(append(strings.Fields(name), old)...).code, "without a reason")
	}
}

// Keys that several operators add at once are all there. The file has its owner and its mode, and
// a link to it stays one.
func TestKeysAdd_LosesNoKeyAndKeepsTheOwner(t *testing.T) {
	o := onSQLite(t)
	file := o.keys
	o.keys = filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(file, o.keys))
	owner := os.Getuid()
	if owner == 0 {
		owner = 12345
		require.NoError(t, os.Chown(file, owner, -1))
	}
	var running []*exec.Cmd
	none, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer none.Close()
	for range 4 {
		running = append(running, o.start(t, none, act("keys add")...))
	}
	for _, cmd := range running {
		require.NoError(t, cmd.Wait())
	}
	require.Len(t, o.keyIDs(), 5)
	info, err := os.Lstat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode())
	require.EqualValues(t, owner, info.Sys().(*syscall.Stat_t).Uid)
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1)
	_, err = os.Readlink(o.keys)
	require.NoError(t, err)
}

// For keys in the environment the command says what to do.
func TestKeys_InTheEnvironmentAreNotChanged(t *testing.T) {
	o := onSQLite(t)
	text, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	o.env = []string{"SECONDGATE_KEYS=" + strings.TrimSpace(string(text))}
	id := o.keyIDs()[0]
	o.keys = ""
	require.Equal(t, []string{id}, o.keyIDs())
	for _, args := range [][]string{act("keys add"), act("keys promote", id),
		act("keys retire", id)} {
		r := o.run(args...)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.messages, "Change $SECONDGATE_KEYS where it is set")
	}
}

// rotatesInAVault makes the keys with a vault, and rotates them there.
func (o *operator) rotatesInAVault(t *testing.T) {
	t.Helper()
	o.keys = filepath.Join(t.TempDir(), "keys")
	o.does("init")
	o.does("init")
	o.moveIn("id,otp,codes", "ann,"+key+",")
	o.does(act("keys add")...)
	ids := o.keyIDs()
	require.Len(t, ids, 2)
	require.Equal(t, 1, o.run(act("keys retire", ids[1])...).code)
	o.does(act("rotate")...)
	o.does(act("keys retire", ids[1])...)
	require.Len(t, o.json("status", "-json", "ann")["factors"], 1)
	vault := o.env
	o.env = nil
	require.Equal(t, 1, o.run("status", "ann").code, "the file without the vault opens nothing")
	o.env = vault
}

// The keys are in a file that a transit engine encrypts. While it is down, nothing is done.
func TestVault_TransitEngineKeepsTheKeys(t *testing.T) {
	engine := transittest.New(t)
	o := onSQLite(t)
	plain := o.keys
	o.env = []string{"SECONDGATE_VAULT=" + engine.URL + "/v1/transit/keys/secondgate",
		"SECONDGATE_VAULT_TOKEN=" + transittest.Token}
	require.Equal(t, 1, o.run("status", "-keys", plain, "ann").code, "keys of no vault")
	o.rotatesInAVault(t)
	before, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	engine.Down.Store(true)
	for _, args := range [][]string{{"status", "ann"}, act("keys add"), {"keys", "list"}} {
		r := o.run(args...)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.messages, "503")
	}
	after, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.Equal(t, before, after)
	engine.Down.Store(false)
	o.env = append(o.env, "SECONDGATE_VAULT_TOKEN=s.other")
	require.Contains(t, o.run("status", "ann").messages, "403")
}

// The keys are in a file that the key service of a cloud encrypts, for one tenant.
func TestVault_CloudKeepsTheKeys(t *testing.T) {
	aws := cloudtest.AWS(t)
	google := cloudtest.Google(t)
	azure := cloudtest.Azure(t)
	for name, c := range map[string]struct {
		service *cloudtest.Service
		url     string
		env     []string
	}{
		"AWS": {aws, cloudtest.AWSKey, []string{"AWS_ENDPOINT_URL_KMS=" + aws.URL,
			"AWS_ACCESS_KEY_ID=" + cloudtest.AWSAccessKeyID,
			"AWS_SECRET_ACCESS_KEY=" + cloudtest.AWSSecretKey,
			"AWS_SESSION_TOKEN=" + cloudtest.AWSSession}},
		"Google": {google, google.URL + "/v1/" + cloudtest.GoogleKey,
			[]string{"SECONDGATE_VAULT_TOKEN=" + cloudtest.Token}},
		"Azure": {azure, azure.URL + "/keys/secondgate",
			[]string{"SECONDGATE_VAULT_TOKEN=" + cloudtest.Token}},
	} {
		t.Run(name, func(t *testing.T) {
			o := onSQLite(t)
			o.env = append(c.env, "SECONDGATE_VAULT="+c.url+"?tenant=acme")
			o.keys = filepath.Join(t.TempDir(), "keys")
			o.does("init")
			c.service.Rotate()
			o.does(act("keys add")...)
			require.Len(t, o.keyIDs(), 2)
			ours := o.env
			o.env = append(c.env, "SECONDGATE_VAULT="+c.url+"?tenant=umbrella")
			require.Contains(t, o.run("keys", "list").messages, "another Context")
			o.env = append(c.env, "SECONDGATE_VAULT="+c.url+"?tenant=acme&tenant=acme")
			require.Equal(t, 2, o.run("keys", "list").code)
			o.env = ours
			c.service.Set(cloudtest.Disabled)
			require.Contains(t, o.run("keys", "list").messages, "disabled")
		})
	}
}

// The keys are in a file that a hardware security module encrypts.
func TestVault_HardwareModuleKeepsTheKeys(t *testing.T) {
	o := onSQLite(t)
	config, library := softHSM(t)
	o.env = []string{"SOFTHSM2_CONF=" + config, "SECONDGATE_VAULT_PIN=1234", "SECONDGATE_VAULT=" +
		"pkcs11:token=acme;object=secondgate?module-path=" + library}
	o.rotatesInAVault(t)
	o.env = append(o.env, "SECONDGATE_VAULT_PIN=4321")
	require.Equal(t, 1, o.run("status", "ann").code)
	o.env = append(o.env, "SECONDGATE_VAULT_PIN=")
	require.Contains(t, o.run("status", "ann").messages, "pin-source=file:PATH")
	pin := filepath.Join(t.TempDir(), "pin")
	require.NoError(t, os.WriteFile(pin, []byte("1234\n"), 0o600))
	o.env = append(o.env, "SECONDGATE_VAULT=pkcs11:token=acme;object=secondgate?module-path="+
		library+"&pin-source=file:"+pin)
	o.does("status", "ann")
}

// softHSM makes a token with a key, and returns its configuration and its library.
func softHSM(t *testing.T) (config, library string) {
	t.Helper()
	needProgram(t, "softhsm2-util")
	needProgram(t, "pkcs11-tool")
	library, dir := "/usr/lib/softhsm/libsofthsm2.so", t.TempDir()
	config = filepath.Join(dir, "softhsm2.conf")
	require.NoError(t, os.WriteFile(config, []byte("directories.tokendir = "+dir+"\n"), 0o600))
	for _, args := range [][]string{
		{"softhsm2-util", "--init-token", "--free", "--label", "acme", "--pin", "1234",
			"--so-pin", "5678"},
		{"pkcs11-tool", "--module", library, "--token-label", "acme", "--login", "--pin", "1234",
			"--keygen", "--key-type", "AES:32", "--id", "01", "--label", "secondgate",
			"--sensitive"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+config)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return config, library
}

// The URL of a vault that is wrong is refused, and no PIN in it is shown.
func TestVault_RefusesURLsThatAreWrong(t *testing.T) {
	o := onSQLite(t)
	for _, url := range []string{"https://vault.example", "https://vault.example/v1/transit",
		"https://u:hunter2@vault.example/v1/transit/keys/a", "hunter2", "ftp://hunter2/v1/keys/a",
		"pkcs11:token=a;object=b?module-path=/c&pin-value=hunter2", "pkcs11:token=a?module-path=/c",
		"pkcs11:token=a;object=b;serial=hunter2?module-path=/c"} {
		r := o.run("status", "-vault", url, "ann")
		require.Equal(t, 2, r.code, "%s: %s", url, r.messages)
		require.NotContains(t, r.messages, "hunter2")
	}
}

// A rotation that is killed half-way has done its half: the next run re-encrypts the rest alone.
func TestRotate_GoesOnAfterAKill(t *testing.T) {
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	o := newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL))
	const users, page = 500, 200
	o.does(act("import", manyUsers(t, "u", users))...)
	o.does(act("keys add")...)
	old := o.keyIDs()[1]
	frozen := o.run(append(act("rotate"), "-store",
		dsn+"&options=-c%20default_transaction_read_only%3Don")...)
	require.Equal(t, 1, frozen.code)
	require.Contains(t, frozen.messages, "the table cannot be written")

	// A transaction holds a record of the second page, so that the rotation stops there.
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close()
	holding, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = holding.ExecContext(t.Context(), "SELECT 1 FROM "+sqlstore.DefaultTable+
		" WHERE key = (SELECT key FROM "+sqlstore.DefaultTable+
		" WHERE substr(key, 1, 2) = 'p/'::bytea ORDER BY key OFFSET 300 LIMIT 1) FOR UPDATE")
	require.NoError(t, err)
	cmd := o.start(t, nil, act("rotate")...)
	remaining := func() int { return o.sealedWith(old) }
	require.Eventually(t, func() bool { return remaining() < users-page }, 2*time.Minute,
		20*time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	// The server ends what it was sent and has not done. Otherwise it writes the page after the
	// record is free.
	require.Eventually(t, func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), "SELECT count(pg_terminate_backend(pid)) "+
			"FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waiting)
		return err == nil && waiting == 0
	}, 2*time.Minute, 20*time.Millisecond)
	require.NoError(t, holding.Rollback())

	rest := remaining()
	require.GreaterOrEqual(t, rest, 100, "the rotation did not get past its second page")
	again := o.json(act("rotate", "-json")...)
	require.EqualValues(t, rest, again["reencrypted"])
	require.GreaterOrEqual(t, again["records"], float64(users))
	require.Zero(t, remaining())
	require.EqualValues(t, 0, o.json(act("rotate", "-json")...)["reencrypted"])
}

// sealedWith returns how many records a key sealed.
func (o *operator) sealedWith(id string) int {
	o.t.Helper()
	for _, k := range o.json("keys", "list", "-json")["keys"].([]any) {
		if use := k.(map[string]any); use["id"] == id {
			return int(use["records"].(float64))
		}
	}
	return 0
}
