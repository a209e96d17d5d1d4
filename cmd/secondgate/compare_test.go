package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A user who is deleted between the reading of the trail and that of the store is no finding. One
// whose record is removed without an entry is.
func TestCompare_AcceptsWhatIsDeletedMeanwhile(t *testing.T) {
	d := newDesk(t)
	public, _, code := d.run("trail", "init")
	require.Zero(t, code)
	d.imports("ann", "bob")
	c := &call{store: "sqlite:" + d.at("acme.db"), keyFile: d.at("acme.keys"),
		trailing: trailOptions{where: d.at("trail.jsonl"), origin: "acme.example/trail",
			public: strings.TrimSpace(public), compare: true}, messages: &strings.Builder{}}
	_, before, err := c.trailing.verified(t.Context())
	require.NoError(t, err)
	_, messages, code := d.act("delete", "ann")
	require.Zero(t, code, messages)
	found, err := c.compare(t.Context(), before)
	require.NoError(t, err)
	require.Empty(t, found)

	db, err := openDB("sqlite", "file:"+d.at("acme.db"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("DELETE FROM secondgate_records WHERE substr(key, 1, 2) = CAST('p/' AS BLOB)")
	require.NoError(t, err)
	found, err = c.compare(t.Context(), before)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "bob missing", fmt.Sprint(found[0].User, " ", found[0].Problem))
	out, _, code := d.run("trail", "verify", "-compare", "-public", c.trailing.public)
	require.Equal(t, 4, code)
	require.Contains(t, out, "If users are being deleted, run it again.")

	require.NotContains(t, out, "erased")
	_, _, code = d.act("trail erase", "ann")
	require.Zero(t, code)
	out, _, _ = d.run("trail", "verify", "-compare", "-public", c.trailing.public)
	require.Contains(t, out, "3 entries name no user, because the user was erased from them. A "+
		"user with no other entry is not compared.")

	d.file("trail.jsonl", "{}\n", 0o600)
	_, err = c.compare(t.Context(), before)
	require.Error(t, err, "what explains a finding is verified")
}
