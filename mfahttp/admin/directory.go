package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
)

// ErrNoUser is returned by [Directory.User], perhaps wrapped, for a user who does not exist.
var ErrNoUser = errors.New("admin: there is no such user")

// Directory is the application's list of users. Its methods are called by the goroutines that
// serve requests.
type Directory interface {
	// Search returns the users who match a Query, in an order that stays the same, and at most
	// q.Limit of them. It reads the next Limit users and not all of them.
	Search(ctx context.Context, q Query) (Page, error)
	// User returns the user with the ID and the tenant of named, as the application knows the
	// user now. It returns ErrNoUser if there is none.
	User(ctx context.Context, named mfa.User) (Entry, error)
}

// Query says which users to return. An empty field matches every user.
type Query struct {
	// Tenant is compared as it is, also if it is empty.
	Tenant string
	// Text is what the administrator is looking for: a part of a name, of an address or of a
	// username, at most 128 bytes. It is not trusted, and holds no operators.
	Text string
	// UserType is a mfa.User.UserType.
	UserType string
	// Unverified asks for users who have an address (mfa.User.Email) that is not verified.
	Unverified bool
	// Cursor is a Page.Next, or "" for the beginning. It came back from a browser: a Directory
	// checks it like any other input. It has at most 512 bytes.
	Cursor string
	// Limit is between 1 and 100.
	Limit int
}

// Page is one page of a search.
type Page struct {
	Users []Entry
	// Next is the Cursor of the next page, at most 512 bytes of UTF-8 without control characters,
	// or "" for the last one.
	Next string
}

// Entry is a user in the list.
type Entry struct {
	User mfa.User
	// Name is what the administrator knows the user by. Defaults to User.ID.
	Name string
}

// Sessions is what a [Directory] has as well if administrators see and end the sessions of users.
// An administrator who resets a user, or who removes a factor, then ends all sessions too.
type Sessions interface {
	// Sessions lists the sessions in which a user is signed in.
	Sessions(ctx context.Context, user mfa.User) ([]Session, error)
	// EndSessions ends the session with an ID, or with "" all sessions of the user. It succeeds
	// if there is no such session any more. by has the administrator and the reason, for the
	// application's log; it has been asked already.
	EndSessions(ctx context.Context, by mfa.Admin, user mfa.User, id string) error
}

// Session is a session of a user.
type Session struct {
	// ID names the session for EndSessions. It is not the secret that the browser has.
	ID string
	// Began and Seen are when the user signed in and made the last request; zero if unknown.
	Began, Seen time.Time
	// Device is what the application knows of the device, such as "Firefox on Windows".
	Device string
}

const (
	maxText   = 128
	maxCursor = 512
	maxLimit  = 100
)

// search returns a page of the directory, and refuses one that is not what was asked for.
func (v *visit) search(q Query) (Page, error) {
	p, err := v.h.cfg.Users.Search(v.ctx, q)
	if err != nil {
		return Page{}, failed("Directory.Search", err)
	}
	switch {
	case len(p.Users) > q.Limit:
		return Page{}, broken("more users than Query.Limit")
	case len(p.Next) > maxCursor || !plain(p.Next):
		return Page{}, broken("a Page.Next that is too long or not plain text")
	case p.Next != "" && p.Next == q.Cursor:
		return Page{}, broken("a Page.Next that is Query.Cursor")
	}
	for i, e := range p.Users {
		if e.User.Tenant != q.Tenant || e.User.ID == "" {
			return Page{}, broken("a user of another tenant, or without an ID")
		}
		p.Users[i] = e.named()
	}
	return p, nil
}

// failed is the error for a function of the application that did not do what it should. It quotes
// nothing: the function may have said what it was looking for.
func failed(method string, err error) error {
	return quiet.New("admin: "+method+" failed"+quiet.Text(err), mfa.ErrUnavailable)
}

// broken is failed for a directory that returned something else than it was asked for.
func broken(problem string) error {
	return fmt.Errorf("admin: Directory returned %s: %w", problem, mfa.ErrUnavailable)
}

func (e Entry) named() Entry {
	if e.Name == "" {
		e.Name = e.User.ID
	}
	return e
}

// find returns a user whom the administrator may see. A user whom the administrator may not see
// is as one who does not exist.
func (v *visit) find(id string) (Entry, error) {
	if err := v.mayList(); err != nil {
		return Entry{}, err
	}
	e, err := v.lookUp(id)
	if err != nil {
		return Entry{}, err
	}
	seen, err := v.mayView(e.User)
	if err == nil && !seen {
		err = ErrNoUser
	}
	return e, err
}

// lookUp returns a user of the directory, whom the administrator may not be allowed to see.
func (v *visit) lookUp(id string) (Entry, error) {
	e, err := v.h.cfg.Users.User(v.ctx, mfa.User{ID: id, Tenant: v.tenant})
	switch {
	case errors.Is(err, ErrNoUser):
		return Entry{}, ErrNoUser
	case err != nil:
		return Entry{}, failed("Directory.User", err)
	case e.User.ID != id || e.User.Tenant != v.tenant:
		return Entry{}, broken("another user")
	}
	return e.named(), nil
}

// mayList asks the application whether the administrator may list the users of the tenant.
func (v *visit) mayList() error {
	return v.viewer.Allowed(v.ctx, "list-users", mfa.User{Tenant: v.tenant})
}

// mayView asks the application whether the administrator may see a user.
func (v *visit) mayView(u mfa.User) (bool, error) {
	err := v.viewer.Allowed(v.ctx, "view-user", u)
	if errors.Is(err, mfa.ErrForbidden) {
		return false, nil
	}
	return err == nil, err
}
