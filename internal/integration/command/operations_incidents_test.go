package command_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
)

// Without the key no user with a second factor gets in, and none is offered to enrol instead.
// A user enrols again when the record is deleted, and all get in if the key is found.
func TestOperations_KeyIsLost(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "The key is lost")
	o.moveInTwo()
	scope := policy.Scope{Tenant: "acme"}
	err := o.site(t).Admin(mfa.System("carol"), "stricter").SetPolicy(t.Context(),
		policy.StoredPolicy{Scope: scope, Policy: policy.Policy{Mode: policy.ModeRequired}})
	require.NoError(t, err)
	lost, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.NoError(t, os.Remove(o.keys))

	r.says("init")
	s := o.site(t)
	_, err = s.begin("ann")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	ch, err := s.Session(mfa.User{ID: "zoe"}, "a session").Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	_, err = s.Session(mfa.User{ID: "zoe", Tenant: "acme"}, "a session").Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable, "the policy cannot be read")
	require.Regexp(t, `missing +[0-9a-f]{16} +[1-9]`, r.runs(4, "keys list").out)
	require.Contains(t, r.runs(4, "report").out, "cannot be read with these keys")

	for _, act := range [][]string{act("reset", "ann"), act("access-code", "ann")} {
		require.Equal(t, 1, o.run(act...).code, "it reads the record")
	}
	r.says("delete")
	_, err = s.begin("ann")
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	ch, err = s.Session(mfa.User{ID: "ann"}, "a session").Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextEnroll, ch.Next)

	made, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.keys, append(made, lost...), 0o600))
	s = o.site(t)
	require.NoError(t, s.verify("bob", "totp", s.code()))
}

// edit changes the plain record of a user.
func (o *operator) edit(id string, change func(map[int]any)) {
	o.t.Helper()
	keys, err := secondgate.KeyFile(o.keys)()
	require.NoError(o.t, err)
	store, name := o.open(), "p/0//"+id
	rec, err := store.Get(o.t.Context(), name)
	require.NoError(o.t, err)
	plain, err := keys.Open("record", name, rec.Data)
	require.NoError(o.t, err)
	var all map[int]any
	require.NoError(o.t, cbor.Unmarshal(plain, &all))
	change(all)
	plain, err = cbor.Marshal(all)
	require.NoError(o.t, err)
	require.NoError(o.t, store.Swap(o.t.Context(), name, rec.Revision, storage.Record{
		Revision: rec.Revision + "+", Data: keys.Seal("record", name, plain)}))
}

// This version is the older one: a later one added to a record, and wrote one in a format of its
// own. What was added stays, through sign-ins and rotations.
func TestOperations_MixedVersions(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "Upgrade with mixed versions")
	o.moveInTwo()
	const added, format = 99, 0
	o.edit("ann", func(all map[int]any) { all[added] = "by a later version" })
	o.edit("bob", func(all map[int]any) { all[format] = 99 })
	s := o.site(t)
	require.NoError(t, s.verify("ann", "totp", s.code()))
	_, err := s.begin("bob")
	require.ErrorIs(t, err, mfa.ErrUnavailable)

	require.Contains(t, r.runs(4, "report").out, "1 records cannot be read")
	o.newKeyFirst(t)
	require.Contains(t, r.says("rotate"), "2 records, 2 of them re-encrypted")
	o.edit("ann", func(all map[int]any) {
		require.Equal(t, "by a later version", all[added])
	})
}

// newKeyFirst puts a new key into the first line, as an operator does by hand.
func (o *operator) newKeyFirst(t *testing.T) (made []byte) {
	t.Helper()
	made, err := exec.Command("sh", "-c", "head -c 32 /dev/urandom | base64").Output()
	require.NoError(t, err)
	old, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.keys, append(made, old...), 0o600))
	return made
}

// A new key takes the place of the old one at once. What a reset user had is worth nothing.
func TestOperations_AttackerHasTheDatabase(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "An attacker has our database")
	o.moveInTwo()
	stolen, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.Equal(t, "head -c 32 /dev/urandom | base64", r.next("head"))
	made := o.newKeyFirst(t)
	require.Contains(t, r.says("rotate"), "re-encrypted")
	require.Regexp(t, `(?m)^2 .* 0$`, r.says("keys list"))
	require.Contains(t, r.says("trail verify"), "were compared with the store")
	require.NoError(t, os.WriteFile(o.keys, stolen, 0o600))
	unread := o.run("report")
	require.Equal(t, 4, unread.code)
	require.Contains(t, unread.out, "cannot be read with these keys")
	require.NoError(t, os.WriteFile(o.keys, made, 0o600))

	r.says("reset")
	require.Contains(t, r.says("report"), "totp 1")
	s := o.site(t)
	require.Equal(t, mfa.NextEnroll, s.next("ann"))
	o.does(act("access-code", "ann")...)
	require.Equal(t, mfa.NextEnroll, s.next("ann"), "an access code is for users with a factor")
	require.Error(t, s.verify("ann", "totp", s.code()))
	require.NoError(t, s.verify("bob", "totp", s.code()))
}

// A message that cannot be sent costs no attempt and leaves the other factors. A user who has
// no other gets an access code.
func TestOperations_SMSProviderIsDown(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "Our SMS provider is down")
	phones := r.dir + "/phones.csv"
	require.NoError(t, os.WriteFile(phones, []byte("id,phone,otp\nann,+31612345678,\n"+
		"dan,+31612345679,"+key+"\n"), 0o600))
	o.does(act("import", "-format", "csv", "-columns", "id=id,number=phone,secret=otp", phones)...)
	s := o.site(t, func(cfg *mfa.Config) {
		texts, err := sms.New(sms.Config{ServiceName: "Acme", Origin: "acme.example",
			Allow: []string{"+31"}, Sender: sms.SenderFunc(
				func(context.Context, sms.Message) error { return errors.New("down") })})
		require.NoError(t, err)
		cfg.Factors = append(cfg.Factors, texts)
	})
	dan := s.Session(mfa.User{ID: "dan", Enrolled: true}, "a session")
	ch, err := dan.Begin(t.Context())
	require.NoError(t, err)
	for range 6 {
		_, err = dan.Send(t.Context(), ch, "sms")
		require.ErrorIs(t, err, mfa.ErrUnavailable)
	}
	require.ElementsMatch(t, []string{"sms", "totp"}, s.offered("dan"))
	require.NoError(t, s.verify("dan", "totp", s.code()))

	require.Contains(t, r.says("report"), "sms 2")
	require.Contains(t, r.says("status"), "sms")
	code := firstLine(r.says("access-code"))
	require.NoError(t, s.verify("ann", "access", code))
	require.Error(t, s.verify("ann", "access", code), "it is used once")
}

// The trail has what an administrator did, and a reset ends what they made for themselves.
func TestOperations_AdministratorIsTaken(t *testing.T) {
	o := onSQLite(t)
	r := o.recipe(t, "An administrator's account was taken")
	o.moveIn("id,otp,codes", "ann,"+key+",", "mallory,"+key+",")
	theirs := firstLine(o.does("access-code", "-by", "mallory", "-reason", "lost phone", "-any",
		"-valid", "8h", "ann").out)
	s := o.site(t)
	require.NoError(t, s.verify("ann", "access", theirs))

	require.Contains(t, r.says("trail verify"), "entries verify")
	r.says("trail show")
	found, err := exec.Command("sh", "-c", "cd "+r.dir+" && "+r.next("grep")).Output()
	require.NoError(t, err)
	require.Contains(t, string(found), `"command.access-code"`)
	require.Contains(t, string(found), "lost phone")
	r.says("reset")
	require.Error(t, s.verify("mallory", "totp", s.code()))
	require.Contains(t, r.says("status"), "access")
	r.says("reset")
	require.Error(t, s.verify("ann", "access", theirs))
	require.Equal(t, mfa.NextEnroll, s.next("ann"))
	require.Regexp(t, `(?s)ann +mallory.*command\.reset +ann +carol +incident 8`,
		r.says("trail show"))
}
