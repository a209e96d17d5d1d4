// Package secondgate adds a second factor to a web application that has users, passwords and
// sessions of its own: an authenticator app, codes by e-mail, recovery codes, and pages for all
// of it.
//
//	gate, err := secondgate.New(secondgate.Config{
//		Store: store, Keys: secondgate.KeyFile("secondgate.key"), Product: "Acme", Mail: sender,
//		User: func(r *http.Request) (secondgate.User, error) {
//			… // from the application's own session
//		}})
//	http.ListenAndServe(addr, gate.Require(mux))
//
// After that, every page but the sign-in page needs the second factor. A link to
// "/mfa/factors" leads to the security settings.
//
// A user whose address is verified is sent a code by e-mail at the first sign-in, and can add an
// authenticator app and recovery codes in the settings; any other user sets up an app at the
// first sign-in. From then on the app is asked for, and not the mail.
//
// New returns an ordinary [mfahttp.Handler], with the Manager it uses beside it. An application
// that needs more (SMS, passkeys, policies for each type of user, administration) builds the two
// itself, from packages mfa and mfahttp; records and pages stay the same.
package secondgate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/totp"
)

// Config configures a Gate. Store, Keys, Product and User are required.
type Config struct {
	// Store keeps one sealed record for each user: storage/memory for a trial, storage/sqlstore
	// for SQLite, PostgreSQL and MySQL, storage/redisstore for Redis. Required.
	Store storage.Store

	// Keys seal the records and the cookies: [KeyFile] or [KeyFromEnv]. Required.
	Keys Keys

	// Product is the application's name on the pages, in mails and in authenticator apps, at most
	// 64 bytes and without a colon. Required.
	Product string

	// Mail sends codes and notices: an email/smtp.Sender, or a function as email.SenderFunc. Nil:
	// there are no codes by e-mail, and every user needs an authenticator app.
	Mail email.Sender

	// User returns the user who makes the request, from the application's own session, or a User
	// without an ID if no user has passed the first factor. After an error nobody is let in.
	// Required.
	User func(r *http.Request) (User, error)

	// Login is the application's sign-in page, a path on this site. It is served to visitors.
	// Defaults to "/login".
	Login string

	// Public are other paths that are served to visitors, such as "/logout". A path that ends
	// with a slash stands for all paths below it, such as "/static/".
	Public []string

	// SignOut ends the application's session of the request. The pages' buttons "Sign out" and
	// "Use another account" call it. Nil: they lead to Login.
	SignOut func(w http.ResponseWriter, r *http.Request) error

	// ExtendSession gives the application's session more time, and returns when it ends then, as
	// mfahttp.Config.ExtendSession does. The pages call it when the user asks to stay signed in,
	// in the last two minutes before User.SessionEnds. Nil: the pages warn, and offer no more time.
	ExtendSession func(w http.ResponseWriter, r *http.Request) (ends time.Time, err error)

	// Policies says who needs which factor, as policy.Static does for all users. Nil: every user
	// needs a second factor, and with Mail a verified address is one.
	Policies policy.Source

	// Brand returns how the users of a tenant see the application: name, colours, logo, sender of
	// mails, texts. docs/branding.md has examples. Nil: Product for all.
	Brand func(ctx context.Context, scope policy.Scope) (brand.Brand, error)

	// Authorize decides whether an act of an administrator is permitted, by Gate.Manager. Nil:
	// none is.
	Authorize func(ctx context.Context, act mfa.AdminAction) error

	// ImportedRecoveryCodes accepts recovery codes that were imported from another system, as
	// recovery.Config.Imported says. Keep it set as long as a user has such codes.
	ImportedRecoveryCodes bool

	// Secure limits cookies to https. Requests over TLS get such cookies without it; set it where
	// a proxy ends TLS before this server.
	Secure bool

	// PublicURL is the address of the application in browsers, such as "https://app.example.com",
	// without ProxyPrefix. Notices by mail link to the settings there. Empty: they have no link.
	PublicURL string

	// ProxyPrefix is a path that a proxy removes from the front of every request, such as "/app".
	// Login and Public are without it.
	ProxyPrefix string

	// AllowedOrigins are origins, such as "https://app.example.com", whose forms are accepted
	// beside the application's own. A proxy that rewrites Host and takes away Sec-Fetch-Site needs
	// the application's public origin here; the log says so.
	AllowedOrigins []string

	// Logger records failures, without secrets. Nil: slog.Default().
	Logger *slog.Logger
}

// User is a user who has passed the first factor in a session of the application.
type User struct {
	// ID is the application's ID of the user, which never changes. Empty: there is no user.
	ID string
	// Name is the account's name in authenticator apps and on the pages. Defaults to Email.
	Name string
	// Email receives codes and notices. EmailVerified is true if the user has shown that the
	// mailbox is theirs; only then it can be a second factor.
	Email         string
	EmailVerified bool
	// Locale is the user's language, as a BCP 47 tag. Defaults to what the browser asks for; mails
	// that warn of a sign-in are then in English.
	Locale string
	// TimeZone is the IANA name of the user's time zone, such as "Europe/Oslo". Mails state times
	// in it. Defaults to UTC.
	TimeZone string
	// Enrolled says that the application knows of a second factor of the user, such as one that
	// was moved from another system. If the store has no record, then nobody is let in; without
	// Enrolled, the user sets up a first factor with the password alone.
	Enrolled bool
	// Tenant and Type select the policy and the brand. Both may be empty. Those of a visitor, such
	// as the tenant of the host name, select the brand of the pages that visitors see.
	Tenant, Type string

	// SessionID is new at each sign-in, and no other session has it. What the user has verified
	// ends with it. Required with ID. It need not be secret.
	SessionID string
	// SignedInAt is when the password was given. A user who has no second factor can set one up
	// only for minutes after it.
	SignedInAt time.Time
	// SessionEnds is when the application's session ends. The pages warn two minutes before. Zero:
	// they do not warn, which suits sessions that last for more than 20 hours.
	SessionEnds time.Time
}

// Gate guards an application, and serves the pages under "/mfa/".
type Gate struct {
	*mfahttp.Handler
	// Manager is for what has no page: administration, reports, and an API of the application's.
	Manager *mfa.Manager
}

// New returns a Gate, or an error that says what is missing in cfg and where to get it.
func New(cfg Config) (*Gate, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	keys, err := cfg.Keys()
	if err != nil {
		return nil, err
	}
	factors, err := cfg.factors()
	if err != nil {
		return nil, fmt.Errorf("secondgate: %w", err)
	}
	if cfg.Policies == nil {
		all := policy.Policy{}
		if cfg.Mail != nil {
			all.Implicit = []string{"email"}
		}
		cfg.Policies = policy.Static(all)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Login == "" {
		cfg.Login = "/login"
	}
	manager, err := mfa.New(mfa.Config{Store: cfg.Store, Keys: keys, Factors: factors,
		Policies: cfg.Policies, Authorize: cfg.Authorize, Brand: cfg.Brand,
		Events: mfa.SlogEvents(cfg.Logger), Notify: notify})
	if err != nil {
		return nil, fmt.Errorf("secondgate: %w", err)
	}
	handler, err := mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys,
		Identify: cfg.identify, LoginURL: cfg.Login, Public: cfg.Public, SignOut: cfg.SignOut,
		ExtendSession: cfg.ExtendSession,
		ProductName:   cfg.Product, SecureCookies: cfg.Secure,
		ProxyPrefix: cfg.ProxyPrefix, AllowedOrigins: cfg.AllowedOrigins, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("secondgate: %w", err)
	}
	return &Gate{Handler: handler, Manager: manager}, nil
}

// check decides whether the required fields are there.
func (cfg *Config) check() error {
	switch {
	case cfg.Store == nil:
		return errors.New("secondgate: Config.Store is nil: use memory.New() for a trial, and " +
			"package storage/sqlstore or storage/redisstore for more")
	case cfg.Keys == nil:
		return errors.New("secondgate: Config.Keys is nil: use secondgate.KeyFile, which makes " +
			"a key on first use, or secondgate.KeyFromEnv")
	case cfg.Product == "":
		return errors.New("secondgate: Config.Product is empty: set the name that users know " +
			"the application by")
	case cfg.User == nil:
		return errors.New("secondgate: Config.User is nil: return the user of a request, from " +
			"the application's session")
	}
	return nil
}

// factors returns the usual set.
func (cfg *Config) factors() ([]factor.Factor, error) {
	app, err := totp.New(totp.Config{Issuer: cfg.Product})
	if err != nil {
		return nil, err
	}
	codes, err := recovery.New(recovery.Config{Imported: cfg.ImportedRecoveryCodes})
	if err != nil {
		return nil, err
	}
	if cfg.Mail == nil {
		return []factor.Factor{app, codes}, nil
	}
	settings := ""
	if cfg.PublicURL != "" {
		settings = strings.TrimSuffix(cfg.PublicURL, "/") + cfg.ProxyPrefix + "/mfa/"
	}
	mail, err := email.New(email.Config{Sender: cfg.Mail, ServiceName: cfg.Product,
		SettingsURL: settings})
	if err != nil {
		return nil, err
	}
	return []factor.Factor{app, mail, codes}, nil
}

// identify implements mfahttp.Config.Identify.
func (cfg *Config) identify(r *http.Request) (mfahttp.Identity, error) {
	u, err := cfg.User(r)
	if err != nil || u.ID == "" {
		return mfahttp.Identity{User: mfa.User{Tenant: u.Tenant, UserType: u.Type}}, err
	}
	return mfahttp.Identity{SessionID: u.SessionID, SignedInAt: u.SignedInAt,
		SessionEnds: u.SessionEnds,
		User: mfa.User{ID: u.ID, Tenant: u.Tenant, UserType: u.Type, Account: u.Name,
			Email: u.Email, EmailVerified: u.EmailVerified, Locale: u.Locale,
			TimeZone: u.TimeZone, Enrolled: u.Enrolled}}, nil
}

// noticeTime limits how long a request waits for the mail server that takes a notice.
const noticeTime = 10 * time.Second

// notify implements mfa.Config.Notify: a notice of a change, such as a new factor, is sent before
// the response to the request that made it. A failure changes nothing and is an event in the log.
func notify(ctx context.Context, send func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	_ = send(ctx)
}

// Format writes the user's ID, tenant and type for every verb, and leaves out the rest.
func (u User) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{ID:%q Tenant:%q Type:%q}", u.ID, u.Tenant, u.Type)
}

// LogValue implements slog.LogValuer. It leaves out what Format leaves out.
func (u User) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", u.ID), slog.String("tenant", u.Tenant),
		slog.String("type", u.Type))
}
