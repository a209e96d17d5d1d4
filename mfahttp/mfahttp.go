package mfahttp

import (
	"context"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// ErrPassword is what [Config.CheckPassword] returns, perhaps wrapped, for a password
// that is wrong. Any other error is taken for a failure of the application.
var ErrPassword = errors.New("mfahttp: wrong password")

// Config configures a Handler. Manager, Session, Identify and Verified are required.
type Config struct {
	// Manager decides. Required.
	Manager *mfa.Manager

	// Session is the application's session. Required.
	Session Session

	// Identify says who makes the request, from the application's own session: nobody
	// (the zero Identity), someone who has passed the first factor, or someone who is
	// signed in. An error is answered with "unavailable" and lets nobody in. Required.
	Identify func(r *http.Request) (Identity, error)

	// Verified is called for every correct response, exactly once for each, before the user
	// sees it. It marks the person as signed in (v.SubjectID of v.Tenant, which it should
	// compare with whom the session waits for, unless v.Passwordless), remembers v.Time for
	// Identity.VerifiedAt, and gives the session a new id, so that an id known from before is worth
	// nothing. It runs for a step-up too; v.Purpose tells. It writes no body and no status. An
	// error is answered with "unavailable", and the sign-in is not completed. Required.
	Verified func(w http.ResponseWriter, r *http.Request, v *mfa.Verification) error

	// Renew gives the session a new ID and keeps what is in it, as session libraries do. It is
	// called when a mailed recovery link is opened in the session, and when a recovery is
	// proven after it. Nobody has signed in then, and Renew signs nobody in. Nil: the session
	// keeps its ID. A recovery is tied to the browser by a cookie of the Handler's in either
	// case, so that an attacker who knows the session ID cannot go on with it.
	Renew func(w http.ResponseWriter, r *http.Request) error

	// Account returns the person with an ID in a tenant, as the application knows them now, and
	// lets people sign in by passkey without a password, as far as their policy does
	// (Policy.Passwordless). It proves nothing that it is called. mfa.ErrForbidden refuses
	// somebody who may not sign in; any other error is taken for a failure. Verified is then
	// told of a Verification that is Passwordless, for which the session waited for nobody.
	// See PasswordlessForm. Nil: passkeys come after a password only.
	Account func(ctx context.Context, named mfa.User) (mfa.User, error)

	// SignOut forgets who the request is from, as the application's own sign-out does; the
	// Handler then redirects to LoginURL. It is called by the "Sign out" and "Use another
	// account" buttons of the pages. Nil: only what the Handler keeps is forgotten, and
	// LoginURL must cope with a session that has passed the first factor.
	SignOut func(w http.ResponseWriter, r *http.Request) error

	// PasswordFor are the kinds whose change (enrolling again, removing) asks for the
	// person's current password, for example "sms". Empty: none.
	PasswordFor []string

	// CheckPassword compares password with the one of the person who makes the request: nil
	// if it is right, ErrPassword if it is not. Limiting guesses is up to it, for example with
	// package password/throttle: a *mfa.RateLimitError says that the password was not compared and
	// when to try again (429, "busy"). Required with PasswordFor.
	CheckPassword func(r *http.Request, password string) error

	// SetupLinks offers to people who have lost their device a mail with a link to set up
	// another: a factor must be able to send it, such as "email" with its SetupURL, which leads
	// to "setup?token=" under BasePath. Support offers to ask the administrators, who see it in
	// Admin.SupportCases. Both false: nothing is offered.
	SetupLinks, Support bool

	// SecureCookies keeps the cookies of the Handler to https. It is so without it for what
	// comes over TLS; set it where a proxy ends TLS before this server.
	SecureCookies bool

	// BasePath is where the Handler is mounted, with a slash at both ends. Defaults to
	// "/mfa/".
	BasePath string

	// LoginURL is where people without a first factor are sent; HomeURL where they go
	// once signed in if they did not come from anywhere. Both are local and default to "/".
	LoginURL, HomeURL string

	// Reauthenticate is the application's page that asks signed-in users for their password, or
	// whatever their first factor is, again, and then renews Identity.SignedInAt; a local URL.
	// Users who set up their first second factor long after the sign-in are sent there, with
	// the query parameter "return" for where to go then. Empty: they are asked to sign out and
	// to sign in again.
	Reauthenticate string

	// ProductName is how pages call the application. Defaults to "Your account".
	ProductName string

	// Templates overlays the built-in pages, file by file. Nil: the built-in ones.
	Templates fs.FS

	// Countries are offered beside the field for a phone number, in the language given as
	// a BCP 47 tag. Nil: the field wants the international form.
	Countries func(locale string) []Country

	// Questions are suggested where a person sets up security questions, in the language given
	// as a BCP 47 tag, as questions.Suggestions does. Nil: people write their own.
	Questions func(locale string) []string

	// Settings returns parts for the page of security settings: above the factors what people
	// should see first, such as a question, and below them what else the application lets them
	// change of how they sign in. Either may be "". They may use the classes of that page, under
	// its Content-Security-Policy: no inline script and no inline style. The person is signed in.
	// An error is answered with "unavailable". Nil: there are none.
	Settings func(r *http.Request) (above, below template.HTML, err error)

	// TrustedOrigins may make cross-origin requests, as "https://app.example.com". Empty:
	// only the Handler's own origin may.
	TrustedOrigins []string

	// Logger is told of failures that people are told of as "unavailable", without any
	// secret. Of what a function of this Config returned it is told that there was an error,
	// and no word of it: such a function may be handed a password. Nil: nobody is told.
	Logger *slog.Logger

	// Clock must be the Manager's. Nil means the system's, for both.
	Clock mfa.Clock
}

// Identity is who makes a request.
type Identity struct {
	// Subject has passed the first factor. An empty ID means that nobody has.
	User mfa.User
	// SignedIn is true once the sign-in is complete, with both factors or with as many as
	// Begin asked for.
	SignedIn bool
	// SignedInAt is when the first factor was last given in this session: at the sign-in, or
	// when Config.Reauthenticate asked for it again. A user who has no second factor sets one
	// up only minutes after it. Zero means unknown, which is never recent.
	SignedInAt time.Time
	// VerifiedAt is the Time of the last Verification in this session, or zero.
	VerifiedAt time.Time
}

// Session keeps values in the session of the request whose context is given, on the
// server or sealed: never where the person's browser can read or change them. Any
// session library fits with a few lines, github.com/alexedwards/scs/v2 with
//
//	type session struct{ *scs.SessionManager }
//
//	func (s session) Get(ctx context.Context, key string) []byte { return s.GetBytes(ctx, key) }
//	func (s session) Put(ctx context.Context, key string, value []byte) {
//		s.SessionManager.Put(ctx, key, value)
//	}
//	func (s session) Remove(ctx context.Context, key string) { s.SessionManager.Remove(ctx, key) }
//
// The keys begin with "secondgate."; values are at most 32 KiB together. Methods are
// called by the goroutine that serves the request.
type Session interface {
	// Get returns the value under key, or none of its bytes if there is no value.
	Get(ctx context.Context, key string) []byte
	// Put keeps value, which the caller does not change afterwards.
	Put(ctx context.Context, key string, value []byte)
	Remove(ctx context.Context, key string)
}

// Country is one choice beside the field for a phone number.
type Country struct {
	Region      string // ISO 3166-1 alpha-2, "NL"
	Name        string // in the person's language, "Nederland"
	CallingCode string // without a plus sign, "31"
}

// Page is a page of the application's own, in the frame of the Handler's pages.
type Page struct {
	// Title is plain text.
	Title string
	// Body is what stands inside the frame. The Content-Security-Policy of the Handler's
	// pages applies: no inline script and no inline style.
	Body template.HTML
	// Status defaults to 200.
	Status int
}
