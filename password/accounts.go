package password

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

var (
	// ErrNoAccount is returned when there is no such account.
	ErrNoAccount = errors.New("password: no such account")
	// ErrChanged is returned when the account's hash is no longer Update.Old. Nothing was
	// changed.
	ErrChanged = errors.New("password: the password was changed meanwhile")
)

// Account is what has a password, as the application knows it: where several accounts of
// mfa share one password it is the login above them.
type Account struct {
	// ID is stable, unique within Tenant and never reused; 1 to 128 bytes. Tenant may be
	// empty, and has at most 64 bytes.
	ID, Tenant string
	// Email is the address of record that the application has made sure of. Links and
	// messages go to it and nowhere else, so a user who reads its mail can set the password.
	Email string
	// Locale is a BCP 47 tag for messages, such as "nl"; empty means English.
	Locale string
	// Name is the user's name. Words are other things that an attacker may know of them, such
	// as a username. A password that consists only of these is refused.
	Name  string
	Words []string
	// Hash is the stored hash, "" if there is no password yet.
	Hash secret.Text
	// SecondFactor is true if a policy that the user cannot leave requires a second factor at
	// every sign-in. A shorter password is then enough.
	SecondFactor bool
	// Users are the users of package mfa who sign in with this password. Only ID and Tenant
	// of each are read. Empty means one user, with the ID and the Tenant of the Account. Each of
	// them may change the password for all, after their own second factor if they have one.
	Users []mfa.User
}

// Format writes the account's ID and tenant for every verb. It leaves out the name and the
// address. Encoders write all fields but the hash, because the application may store an Account.
func (a Account) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{ID:%q Tenant:%q}", a.ID, a.Tenant)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (a Account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("tenant", a.Tenant))
}

// users returns the users who sign in with the account's password.
func (a *Account) users() []mfa.User {
	if len(a.Users) == 0 {
		return []mfa.User{{ID: a.ID, Tenant: a.Tenant}}
	}
	return a.Users
}

// hasUser reports whether a user signs in with the account's password.
func (a *Account) hasUser(u mfa.User) bool {
	return slices.ContainsFunc(a.users(), func(s mfa.User) bool {
		return s.ID == u.ID && s.Tenant == u.Tenant
	})
}

// Update is a change of a password.
type Update struct {
	// Hash is the new one, a PHC string of at most 256 bytes.
	Hash secret.Text
	// Old is the hash that the change was decided on.
	Old secret.Text
	// MustChange is true if an administrator knows the password. After the next sign-in the
	// user must choose another before they do anything else. If false, remove the mark.
	MustChange bool
	// Expires is the time until which such a password is valid for a sign-in
	// (Config.TemporaryTTL), and zero unless MustChange. Refuse it after that, and ask the user
	// to reset it by mail or to contact the administrator again.
	Expires time.Time
	// KeepSession is ChangeRequest's: the session not to end. Empty ends all.
	KeepSession secret.Text
}

// Accounts is what the application brings. All methods are safe for concurrent use; an error
// that is not named here means that it could not be done now.
type Accounts interface {
	// Find returns the accounts whose verified address is address, as a user typed it. No
	// account is not an error. Compare as the sign-in does. The Manager uses at most eight.
	Find(ctx context.Context, address string) ([]Account, error)
	// Get returns the account with the ID and the Tenant of named, of which nothing else is
	// set, or ErrNoAccount. It sees every SetPassword that has returned.
	Get(ctx context.Context, named Account) (Account, error)
	// SetPassword replaces a's hash if it is still u.Old, or else returns ErrChanged and does
	// nothing; and ends every session and every remembered device (mfa.Manager.PasswordChanged)
	// of the users who sign in with the password, except u.KeepSession. Where that cannot be
	// one transaction, forget the devices first: that is harmless if the rest fails.
	SetPassword(ctx context.Context, a Account, u Update) error
}

// fingerprint changes when the address or the password does. Links hold it, so that such a
// change makes all earlier links void.
func (a *Account) fingerprint() []byte {
	sum := sha256.Sum256([]byte(a.Email + "\x00" + a.Hash.Reveal()))
	return sum[:16]
}

func (a *Account) sound() error {
	if a.ID == "" || len(a.ID) > 128 || len(a.Tenant) > 64 {
		return errors.New("password: Account.ID must have 1 to 128 bytes and Account.Tenant at " +
			"most 64")
	}
	return nil
}
