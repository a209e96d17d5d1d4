package main

import (
	"context"
	"errors"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// libraryPath is where the pages and the API of package mfahttp/admin are.
const libraryPath = "/admin/mfa/"

// newLibrary makes the Handler of package mfahttp/admin, which serves the administration.
func (a *app) newLibrary() (*admin.Handler, error) {
	return admin.New(admin.Config{Handler: a.gate, Manager: a.manager, Users: directory{a},
		BasePath: libraryPath, UserTypes: userTypes[:], TypeName: a.typeName, Around: a.around,
		Links: a.adminLinks, History: a.history.of})
}

// typeName implements admin.Config.TypeName.
func (a *app) typeName(language string, of policy.Scope) string {
	return a.pages.say(language, of.UserType)
}

// around does what belongs to an administrator's act in this application. An attacker who took an
// account over may have linked an account of their own, so a reset unlinks them first.
func (a *app) around(
	ctx context.Context, by mfa.Admin, name string, user mfa.User,
	act func(ctx context.Context) error,
) error {
	if name == "reset" {
		if err := a.unlinkAll(ctx, by, user); err != nil {
			return err
		}
	}
	return act(ctx)
}

// directory is the list of accounts for administrators, in the order of their IDs.
type directory struct{ a *app }

func (d directory) Search(ctx context.Context, q admin.Query) (admin.Page, error) {
	if q.Tenant != tenant {
		return admin.Page{}, nil
	}
	list, err := d.a.users.query(ctx, `WHERE a.id > ?1 AND (?2 = '' OR a.type = ?2)
		AND (?3 = '' OR instr(lower(a.name || ' ' || a.username || ' ' || l.email), lower(?3)) > 0)
		AND (NOT ?4 OR NOT a.email_confirmed) ORDER BY a.id LIMIT ?5`,
		q.Cursor, q.UserType, q.Text, q.Unverified, q.Limit+1)
	if err != nil {
		return admin.Page{}, err
	}
	var p admin.Page
	for i := range list {
		if len(p.Users) == q.Limit {
			p.Next = p.Users[q.Limit-1].User.ID
			break
		}
		p.Users = append(p.Users, entryOf(&list[i]))
	}
	return p, nil
}

func (d directory) User(ctx context.Context, named mfa.User) (admin.Entry, error) {
	if named.Tenant != tenant {
		return admin.Entry{}, admin.ErrNoUser
	}
	acct, err := d.a.users.byID(ctx, named.ID)
	if errors.Is(err, errNoUser) {
		return admin.Entry{}, admin.ErrNoUser
	}
	if err != nil {
		return admin.Entry{}, err
	}
	return entryOf(acct), nil
}

func entryOf(acct *account) admin.Entry {
	return admin.Entry{User: acct.subject(), Name: acct.Name}
}

func (d directory) Sessions(ctx context.Context, user mfa.User) ([]admin.Session, error) {
	acct, err := d.a.users.byID(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	list, err := d.a.sessionStore().sessionsOf(ctx, acct)
	if err != nil {
		return nil, err
	}
	out := make([]admin.Session, len(list))
	for i, s := range list {
		out[i] = admin.Session{ID: s.ID, Device: s.Device, Began: s.Began, Seen: s.Seen}
	}
	return out, nil
}

func (d directory) EndSessions(
	ctx context.Context, by mfa.Admin, user mfa.User, id string,
) error {
	d.a.log.InfoContext(ctx, "admin.end-sessions", "subject", user.ID, "actor",
		by.Actor().Name(), "note", by.Reason())
	if id == "" { // everywhere: remembered devices too
		return errors.Join(d.a.manager.PasswordChanged(ctx, user), d.a.endOthers(ctx, user.ID))
	}
	return d.a.sessionStore().end(ctx, user.ID, id, d.a.ended(ctx))
}
