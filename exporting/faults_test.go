package exporting_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/exporting"
	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// Only a program exports, with a reason and the permission of the application. Nothing is written
// otherwise.
func TestWrite_NeedsAProgramAReasonAndPermission(t *testing.T) {
	var asked []mfa.AdminAction
	allowed := true
	in := install(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			if asked = append(asked, a); !allowed {
				return errors.New("no")
			}
			return nil
		}
	})
	in.populate()
	in.events = nil
	grant := in.proof("bob")
	asked = nil
	var file bytes.Buffer
	write := func(a mfa.Admin) error {
		_, err := exporting.Write(t.Context(), a, &file, exporting.Options{})
		return err
	}
	boss := in.Session(user("bob"), "session").Actor(grant)
	require.ErrorIs(t, write(in.Admin(boss, "ticket 4711")), mfa.ErrForbidden)
	require.ErrorIs(t, write(in.Admin(mfa.Actor{}, "ticket 4711")), mfa.ErrForbidden)
	require.ErrorIs(t, write(in.Admin(mfa.System("move"), " ")), factor.ErrMalformed)
	require.Empty(t, asked)
	allowed = false
	require.ErrorIs(t, write(in.mover()), mfa.ErrForbidden)
	require.Equal(t, "export", asked[0].Name)
	require.Empty(t, file.String())
	require.NotContains(t, in.names(), "admin.export")
}

// proof signs a user in by the app of populate.
func (in *installation) proof(id string) mfa.Grant {
	in.t.Helper()
	file, _ := in.export(exporting.Options{})
	in.events = nil
	for u := range importing.JSONLines(strings.NewReader(file)) {
		if u.ID == id {
			in.clock.Advance(90 * time.Second)
			bob := user(id)
			v, err := in.Session(bob, "session").Verify(in.t.Context(), in.begin(bob), "totp",
				secret.New(in.code(u.Factors[0].Params["secret"].Reveal())))
			require.NoError(in.t, err)
			return v.Grant
		}
	}
	return mfa.Grant{}
}

func (in *installation) names() (list []string) {
	for _, e := range in.events {
		list = append(list, e.Name)
	}
	return list
}

// Each user's history says who exported their factors and why, before a byte of them is written.
func TestWrite_IsAnEventOfEachUserFirst(t *testing.T) {
	in := install(t)
	in.populate()
	in.events = nil
	_, err := exporting.Write(t.Context(), in.mover(), writerFunc(func(b []byte) (int, error) {
		require.Len(t, in.events, 2)
		return len(b), nil
	}), exporting.Options{})
	require.NoError(t, err)
	for i, id := range []string{"ann", "bob"} {
		e := in.events[i]
		require.Equal(t, []string{"admin.export", id, "acme/eu", "staff", "move", "ticket 4711"},
			[]string{e.Name, e.UserID, e.Tenant, e.UserType, e.Actor, e.Note})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// crowd imports so many users with an app each.
func (in *installation) crowd(n int) {
	in.t.Helper()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"id":"user %03d","factors":[{"kind":"totp","params":{"secret":"%s"}}]}`,
			i, key)
	}
	outcomes, err := in.imports(strings.NewReader(lines.String()))
	require.NoError(in.t, err)
	require.Len(in.t, outcomes, n)
}

// An export that was cut off leaves a whole file with a part of the users. The next one goes on at
// the cursor, and the parts have every user once. Neither part alone passes for the whole.
func TestWrite_GoesOnAtTheCursor(t *testing.T) {
	from, to := install(t), install(t)
	from.crowd(450)
	ctx, cancel := context.WithCancel(t.Context())
	var first bytes.Buffer
	done, err := exporting.Write(ctx, from.mover(), &first, exporting.Options{
		Page: func(exporting.Done) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	require.NotEmpty(t, done.Cursor)
	require.Positive(t, done.Users)
	require.Less(t, done.Users, 450)

	second, rest := from.export(exporting.Options{Cursor: done.Cursor})
	require.Empty(t, rest.Cursor)
	require.Equal(t, 450, done.Users+rest.Users)
	outcomes, err := install(t).imports(strings.NewReader(first.String()))
	require.ErrorContains(t, err, "it is one part")
	require.Len(t, outcomes, done.Users+1)
	outcomes, err = to.imports(strings.NewReader(first.String() + second))
	require.NoError(t, err)
	require.Len(t, outcomes, 450)

	_, err = exporting.Write(t.Context(), from.mover(), io.Discard,
		exporting.Options{Cursor: "no cursor!"})
	require.Error(t, err)
}

// A file that is cut off anywhere is an error that says so, and so is an empty one.
func TestWrite_FileThatIsCutOffIsAnError(t *testing.T) {
	from := install(t)
	p := from.populate()
	file, _ := from.export(exporting.Options{})
	file = strings.TrimSuffix(file, "\n")
	for n := 0; n < len(file); n += 7 {
		var last error
		for _, err := range importing.JSONLines(strings.NewReader(file[:n])) {
			last = err
		}
		require.ErrorIs(t, last, io.ErrUnexpectedEOF, "%d bytes", n)
		require.NotContains(t, last.Error(), p.app)
	}
	lines := strings.SplitAfter(file, "\n")
	require.Len(t, lines, 4)
	for name, changed := range map[string]string{
		"a user is missing":  lines[0] + lines[1] + lines[3],
		"no first line":      lines[1] + lines[2] + lines[3],
		"another version":    strings.ReplaceAll(file, "export 1", "export 2"),
		"one within another": lines[0] + file,
	} {
		var last error
		for _, err := range importing.JSONLines(strings.NewReader(changed)) {
			last = err
		}
		require.Error(t, last, name)
	}
	broken := errors.New("a chunk that was altered")
	for _, err := range importing.JSONLines(io.MultiReader(strings.NewReader(lines[0]),
		readerFunc(func([]byte) (int, error) { return 0, broken }))) {
		require.ErrorIs(t, err, broken)
	}
}

// Write says that the file is cut off, and counts the users before that alone.
func TestWrite_SaysWhereTheFileIsCutOff(t *testing.T) {
	full := errors.New("the disk is full")
	write := func(in *installation, writes int) (exporting.Done, int) {
		pages := 0
		disk := writerFunc(func(b []byte) (int, error) {
			if writes--; writes < 0 {
				return 0, full
			}
			return len(b), nil
		})
		done, err := exporting.Write(t.Context(), in.mover(), disk,
			exporting.Options{Page: func(exporting.Done) { pages++ }})
		require.ErrorIs(t, err, full)
		return done, pages
	}
	few, many := install(t), install(t)
	few.populate()
	_, pages := write(few, 0) // the page
	require.Zero(t, pages)
	_, pages = write(few, 1) // the last line
	require.Equal(t, 1, pages)

	many.crowd(150)
	done, pages := write(many, 0) // a part of the page
	require.Zero(t, pages)
	require.Less(t, done.Users, 100)
}

// The file of an installation without users is whole.
func TestWrite_WritesNoUsers(t *testing.T) {
	file, done := install(t).export(exporting.Options{})
	require.Zero(t, done)
	outcomes, err := install(t).imports(strings.NewReader(file))
	require.NoError(t, err)
	require.Empty(t, outcomes)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// A record that cannot be read is counted and named, and an import of the file says so.
func TestWrite_CountsWhatCannotBeRead(t *testing.T) {
	in := install(t)
	in.populate()
	altered := user("carl")
	other, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	stranger := install(t, func(c *mfa.Config) { c.Store, c.Keys = in.store, other })
	outcomes, err := stranger.imports(strings.NewReader(
		`{"id":"carl","tenant":"acme/eu","factors":[{"kind":"totp","params":{"secret":"` + key +
			`"}}]}`))
	require.NoError(t, err)
	require.Equal(t, "imported totp", outcomes[altered.ID])

	file, done := in.export(exporting.Options{})
	require.Equal(t, 1, done.Unreadable)
	require.ErrorIs(t, done.Unread[0], seal.ErrUnknownKey)
	require.Equal(t, 2, done.Users)
	_, err = install(t).imports(strings.NewReader(file))
	require.ErrorContains(t, err, "1 records could not be read")
}

// What stays behind is said in the file, and at its import. An address for which the application
// vouches is in neither.
func TestWrite_SaysWhatStaysBehind(t *testing.T) {
	from := install(t)
	from.populate()
	part := install(t, func(c *mfa.Config) {
		c.Store, c.Keys = from.store, from.keys
		c.Factors = c.Factors[:1]
	})
	file, done := part.export(exporting.Options{})
	require.Equal(t, 2, done.Factors)
	require.Equal(t, 5, done.Left)
	outcomes, err := install(t).imports(strings.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, "imported totp; not moved: questions: the kind is not configured",
		outcomes["bob"])
	require.NotContains(t, file, "ann@example.com")
}
