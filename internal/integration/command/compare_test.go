package command_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
)

// compared runs trail verify with the store.
func (r *restoring) compared(args ...string) result {
	r.operator.t.Helper()
	return r.run(append([]string{"trail", "verify", "-public", r.public, "-compare"}, args...)...)
}

// A record that an attacker put back is found before its user signs in again, and so is one that
// the attacker removed or damaged. Nothing is written.
func TestTrailVerify_ComparesTheStore(t *testing.T) {
	for name, over := range map[string]func(*testing.T) *operator{
		"SQLite": onSQLite, "PostgreSQL": onPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := restoringBy(t, over(t))
			older := r.record()
			r.signIn(codeOne)
			now := r.record()
			clean := r.compared()
			require.Zero(t, clean.code, clean.out+clean.messages)
			require.Contains(t, clean.out, "The records of 1 users were compared with the store.")
			require.Contains(t, r.compared("-json").out, `"stored_records":[]`)
			require.Equal(t, now, r.record(), "it was only read")
			size := len(r.does("trail", "show", "-json").out)

			r.putBack(older)
			require.Zero(t, r.auditor.verify().code, "nobody has signed in by it")
			found := r.compared()
			require.Equal(t, 4, found.code, found.messages)
			require.Regexp(t,
				`The record of user "ann", tenant "", in the store is older than at entry \d+\.`,
				found.out)
			require.Regexp(t, `"stored_records":\[\{"user":"ann","newest_before":\d+,`+
				`"problem":"older"\}\]`, r.compared("-json").out)
			require.Len(t, r.does("trail", "show", "-json").out, size, "the trail was only read")

			r.damage(now)
			require.Contains(t, r.compared("-json").out, `"problem":"unreadable"`)
			require.NoError(t, r.store.Delete(t.Context(), annsRecord, r.record().Revision))
			gone := r.compared()
			require.Equal(t, 4, gone.code)
			require.Contains(t, gone.out, `user "ann", tenant "", is not in the store; it was at`)
		})
	}
}

// damage puts a record into the store that the keys do not open.
func (r *restoring) damage(now storage.Record) {
	r.operator.t.Helper()
	data := append([]byte(nil), now.Data...)
	data[len(data)-1] ^= 1
	r.putBack(storage.Record{Data: data})
}

// What an operator restored or deleted is as the trail says.
func TestTrailVerify_ComparesWhatWasRestored(t *testing.T) {
	r := newRestoring(t)
	backup, made := r.backUp()
	r.signIn(codeOne)
	r.putBack(backup)
	require.Equal(t, 4, r.compared().code)
	r.does("trail", "restored", "-by", "carol", "-reason", "ticket 4711", "-backup", made)
	restored := r.compared()
	require.Zero(t, restored.code, restored.out)

	r.does(act("delete", "ann")...)
	deleted := r.compared()
	require.Zero(t, deleted.code, deleted.out)
	require.NoError(t, r.store.Swap(t.Context(), annsRecord, "",
		storage.Record{Revision: "put-back", Data: backup.Data}))
	require.Contains(t, r.compared("-json").out, `"problem":"older"`)
}

// The comparison needs the store, and a store that fails is no finding.
func TestTrailVerify_ComparesNothingWithoutTheStore(t *testing.T) {
	r := newRestoring(t)
	require.Equal(t, 2, r.auditor.verify("-compare").code)
	failed := r.compared("-store", "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	require.Equal(t, 1, failed.code, failed.out+failed.messages)
}
