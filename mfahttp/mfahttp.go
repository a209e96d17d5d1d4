package mfahttp

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
)

// ErrPassword is returned by [Config.CheckPassword], perhaps wrapped, for an incorrect password.
// The Handler treats any other error as a failure of the application.
var ErrPassword = errors.New("mfahttp: incorrect password")

// Config configures a Handler. Manager, Identify, and Keys or Session are required.
type Config struct {
	// Manager decides. Required.
	Manager *mfa.Manager

	// Identify reads from the application's own session which user makes the request, if a user
	// has passed the first factor. It returns an Identity without a User.ID if none has; its
	// Tenant and UserType then choose the brand of the pages. After an error the Handler responds
	// with "unavailable" and treats no user as signed in. Required.
	Identify func(r *http.Request) (Identity, error)

	// Keys seals what the Handler keeps for a session in cookies, at most 4 KB together: the
	// Manager's keyring. Required without Session. With Session, it seals what a user typed into a
	// form whose session has ended, until the next sign-in; nil: that is lost.
	Keys *seal.Keyring

	// Session keeps those values in the application's own session instead. Nil: in cookies. The
	// warning to a user whose sign-in was begun and not completed (Ended) needs it.
	Session Session

	// Public are the paths that Require serves to visitors, beside BasePath and LoginURL, such
	// as "/logout". A path that ends with a slash stands for all paths below it, such as
	// "/static/". Requests for them have not proven anything.
	Public []string

	// Verified is called for every correct response, exactly once for each, before the user sees
	// it: for the completion of a sign-in and for a step-up (v.Purpose). It may give the session
	// a new ID, and then returns it; "" means that the ID is the same. It may write headers, and
	// no body and no status. After an error the Handler responds with "unavailable", and the
	// user is not signed in. With Session it must give the session a new ID, so that an attacker
	// who planted one is not signed in with the user; cookies are in the user's browser alone.
	// If v.Passwordless, it signs the user in (v.UserID of v.Tenant), as the application does
	// after a correct password. Nil: nothing happens. Required with Account.
	Verified func(w http.ResponseWriter, r *http.Request, v *mfa.Verification) (
		sessionID string, err error)

	// Postponed is called when a user puts off an enrolment, and is signed in without a second
	// factor. An application that notes in Verified that a session is signed in notes it here
	// too. It may give the session a new ID, as Verified may, and write headers. After an error
	// the Handler responds with "unavailable", and the user is not signed in. Nil: nothing
	// happens.
	Postponed func(w http.ResponseWriter, r *http.Request) (sessionID string, err error)

	// Renew gives the session a new ID and keeps its values, as session libraries do. The Handler
	// calls it when a user opens a mailed recovery link in the session, and again when the user
	// proves a recovery after it. No user has signed in then, and Renew signs no user in. Nil:
	// the session keeps its ID. In either case a cookie of the Handler ties the recovery to the
	// browser, so that an attacker who knows the session ID cannot continue it.
	Renew func(w http.ResponseWriter, r *http.Request) error

	// Account returns the user with an ID in a tenant, as the application knows the user now. It
	// enables sign-in by passkey without a password, where the policy allows it
	// (Policy.Passwordless). The call itself proves nothing. Account returns mfa.ErrForbidden for
	// a user who may not sign in; any other error is a failure. The Handler then calls Verified
	// with a Verification that is Passwordless, for which the session waited for no user. See
	// PasswordlessForm. Nil: passkeys come after a password only.
	Account func(ctx context.Context, named mfa.User) (mfa.User, error)

	// OfferPasskeys enables the offer of a passkey after a sign-in: to a user who has none, and to
	// one who used the passkey on a phone and has a device without one. A user who declines is not
	// asked again for that long, such as 90 days, in any browser. Zero: nothing is offered.
	OfferPasskeys time.Duration

	// SignOut ends the application's session of the request, as its own sign-out does; the
	// Handler then redirects to LoginURL. The "Sign out" and "Use another account" buttons of the
	// pages call it. Nil: the Handler forgets only its own values, and the page at LoginURL must
	// be able to sign in another user, or to sign out.
	SignOut func(w http.ResponseWriter, r *http.Request) error

	// ExtendSession gives the application's session more time, and returns when it ends then. The
	// pages warn two minutes before Identity.SessionEnds, and call ExtendSession when the user asks
	// to stay signed in. WCAG 2.2 (2.2.1) wants that at least ten times for a session of less than
	// 20 hours. It may return the same time. Nil: the pages warn, and offer no more time.
	ExtendSession func(w http.ResponseWriter, r *http.Request) (ends time.Time, err error)

	// PasswordFor lists the kinds whose change (enrolling, removing) requires the user's current
	// password, for example "sms" or "recovery". The first enrolment requires it only if the
	// password was given longer ago than Policy.MaxAge (Identity.SignedInAt). Empty: none.
	PasswordFor []string

	// CheckPassword compares password with the one of the user who makes the request. It returns
	// nil if the password is correct and ErrPassword if it is not. CheckPassword must limit
	// guesses itself, for example with package password/throttle: a *mfa.RateLimitError says that
	// the password was not compared and when to try again (429, "busy"). Required with
	// PasswordFor.
	CheckPassword func(r *http.Request, password string) error

	// StoreAddress stores a verified e-mail address for a signed-in user, unless another account
	// has it: then it changes nothing and returns ErrAddressTaken. It enables the change of the
	// address in the JSON API. That requires a fresh proof of the strongest factor and, if the
	// password was given longer ago than Policy.MaxAge, CheckPassword or, without one, a new
	// Identity.SignedInAt. StoreAddress is called once a code has proven the mailbox, perhaps more
	// than once, and accepts the address that it has stored for the user. Identify then returns
	// the address, as verified. Nil: the API does not change it. See mfa.Session.ConfirmAddress.
	StoreAddress func(ctx context.Context, user mfa.User, address string) error

	// SetupLinks offers users who have lost a factor a mailed link to set up another. A factor
	// must be able to send it, such as "email" with its SetupURL, which leads to "setup?token="
	// under BasePath. Support offers to ask the administrators, who see the request in
	// Admin.SupportCases. Both false: the pages offer no recovery.
	SetupLinks, Support bool

	// SecureCookies limits the Handler's cookies to https. Requests over TLS get such cookies
	// without it; set it where a proxy ends TLS before this server.
	SecureCookies bool

	// BasePath is the path at which the Handler is mounted, with a slash at both ends. Defaults
	// to "/mfa/".
	BasePath string

	// ProxyPrefix is a path that a proxy removes from the front of every request, such as "/app":
	// browsers see "/app/login", and this application "/login". The other paths of this Config
	// are those that this application sees. Defaults to "": no proxy removes a path.
	ProxyPrefix string

	// LoginURL receives users without a first factor; its query parameter "return" names the page
	// to return to, unless that is HomeURL. The application passes it on to the page at BasePath.
	// HomeURL receives signed-in users who did not come from another page. Both are local and
	// default to "/".
	LoginURL, HomeURL string

	// Reauthenticate is the application's page that asks signed-in users for their password, or
	// another first factor, again, and then renews Identity.SignedInAt. It is a local URL. The
	// Handler redirects users there who set up their first second factor long after the sign-in;
	// the query parameter "return" names the page to return to. Empty: the pages ask the user to
	// sign out and to sign in again.
	Reauthenticate string

	// ProductName is the application's name on the pages. Defaults to "Your account", in the
	// language of the page.
	ProductName string

	// Templates overlays the built-in pages, file by file. New executes each page that the files
	// change, and returns an error with the file and the line for each name or form that does
	// not fit; docs/templates.md lists the names. Nil: the built-in ones.
	Templates fs.FS

	// Kinds are how kinds that are not built in look on the pages. A kind that is not described
	// is shown by its raw name. Nil: none is described.
	Kinds []Kind

	// Countries are offered beside the field for a phone number, in the language given as
	// a BCP 47 tag. Nil: the field wants the international form.
	Countries func(locale string) []Country

	// Questions returns suggestions for a user who sets up security questions, in the language
	// given as a BCP 47 tag, as questions.Suggestions does. Nil: users write their own.
	Questions func(locale string) []string

	// Settings returns parts for the page of security settings: above the factors what users
	// should see first, such as a question, and below them the application's other sign-in
	// settings. Either may be "". They may use the classes of that page, under its
	// Content-Security-Policy: no inline script and no inline style. The user is signed in. After
	// an error the Handler responds with "unavailable". Nil: the page has no such parts.
	Settings func(r *http.Request) (above, below template.HTML, err error)

	// History returns what happened to a user, the latest first, at most limit events: the same
	// function as that of mfahttp/admin, such as the Newest of a trail.Trail. The page of security
	// settings and api/history show it to the user, without the names and reasons of
	// administrators. Its context ends after 2 seconds. They ask for 100 events, and for 2000 where
	// these have few that users see. After an error the page says that the history cannot be
	// shown, and the Logger records it. If it is nil, the page has no history, and the API has no
	// such route.
	History func(ctx context.Context, user mfa.User, limit int) ([]mfa.Event, error)

	// Nav returns the application's navigation for every page of a signed-in user in a language, a
	// BCP 47 tag, such as a nav element with a list of links. The link to the place where the user
	// is has the attribute aria-current: "page", or "true" on a page below it. The
	// Content-Security-Policy of the pages applies. After an error the page has no navigation, and
	// the Logger records it. Nil: none.
	Nav func(r *http.Request, language string) (template.HTML, error)

	// Place returns where a request seems to come from, such as "Utrecht, Netherlands", for mails
	// about what happened to an account: from a database of addresses, or a header that a proxy
	// sets. It may return "". Nil: mails name no place.
	Place func(r *http.Request) string

	// AllowedOrigins are origins, such as "https://app.example.com", whose forms and API requests
	// are accepted beside the Handler's own: another site of yours, or the public origin of this
	// one behind a proxy that rewrites Host. A page there can do what the user can. Empty: only
	// the Handler's own origin.
	AllowedOrigins []string

	// Logger records failures that users see as "unavailable", and requests that were refused for
	// their origin with what to configure, without any secret. For an error
	// that a function of this Config returned, it records only that there was one, and not its
	// text: such a function may receive a password. Nil: failures are not logged.
	Logger *slog.Logger

	// Clock must be the Manager's. Nil means the system's, for both.
	Clock mfa.Clock
}

// Identity says which user makes a request, and in which session of the application.
type Identity struct {
	// User has passed the first factor in the session. An empty ID means that no user has.
	User mfa.User
	// SessionID is new at each sign-in, and no other session has it: 1 to 512 bytes, required
	// with a User. All that the Handler keeps for a session ends with it. It need not be secret.
	SessionID string
	// SignedInAt is the time at which the first factor was last given in this session: at the
	// sign-in, or when Config.Reauthenticate asked for it again. A user who has no second factor
	// can set one up only for a few minutes after it. Zero means unknown, which is never recent.
	SignedInAt time.Time
	// SessionEnds is when the application's session ends, also for a user who does something in it
	// meanwhile. The pages warn before, and call Config.ExtendSession. Zero: they do not warn,
	// which suits sessions that last for more than 20 hours.
	SessionEnds time.Time
}

// Format writes the user and the time for every verb, and leaves out the session ID.
func (id Identity) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{User:%v SignedInAt:%s}", id.User, id.SignedInAt.Format(time.RFC3339))
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (id Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("user", id.User), slog.Time("signed_in_at", id.SignedInAt))
}

// Session keeps values in the session of the request whose context is given, on the server or
// encrypted: the user's browser can neither read nor change them. Any session library fits with a
// few lines, github.com/alexedwards/scs/v2 with
//
//	type session struct{ *scs.SessionManager }
//
//	func (s session) Get(ctx context.Context, key string) ([]byte, error) {
//		return s.GetBytes(ctx, key), nil
//	}
//	func (s session) Put(ctx context.Context, key string, value []byte) error {
//		s.SessionManager.Put(ctx, key, value)
//		return nil
//	}
//	func (s session) Remove(ctx context.Context, key string) error {
//		s.SessionManager.Remove(ctx, key)
//		return nil
//	}
//
// The keys begin with "secondgate."; values are at most 32 KiB together. Methods are
// called by the goroutine that serves the request.
type Session interface {
	// Get returns the value under key, or none of its bytes if there is no value.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put keeps value, which the caller does not change afterwards.
	Put(ctx context.Context, key string, value []byte) error
	// Remove removes the value under key, if there is one.
	Remove(ctx context.Context, key string) error
}

// Country is one choice beside the field for a phone number.
type Country struct {
	Region      string // ISO 3166-1 alpha-2, "NL"
	Name        string // in the user's language, "Nederland"
	CallingCode string // without a plus sign, "31"
}

// Page is a page of the application's own, in the frame of the Handler's pages.
type Page struct {
	// Title is plain text.
	Title string
	// Language is the language of Title and Body, a BCP 47 tag. The frame is in it too, so that a
	// page is in one language; it is English if the library has no texts in that language.
	// Defaults to that of [Handler.Language].
	Language string
	// Body is the content inside the frame. The Content-Security-Policy of the Handler's pages
	// applies: no inline script and no inline style.
	Body template.HTML
	// Status defaults to 200.
	Status int
}
