package mfahttp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// maxBody limits every request body. The largest legitimate one is a passkey's response of a few
// kilobytes.
const maxBody = 64 << 10

const defaultBasePath = "/mfa/"

var (
	errMethod      = errors.New("mfahttp: method not allowed")
	errNotFound    = errors.New("mfahttp: not found")
	errTooLarge    = errors.New("mfahttp: body too large")
	errMediaType   = errors.New("mfahttp: unsupported media type")
	errCrossOrigin = errors.New("mfahttp: cross-origin request")
)

// Handler serves the pages and the JSON API. It is safe for concurrent use and keeps no state for
// a user; what a sign-in needs between two requests is in the application's session.
type Handler struct {
	cfg     Config
	clock   func() time.Time
	pages   *ui.Renderer
	mux     *http.ServeMux
	cross   *http.CrossOriginProtection
	methods map[string][]string // path pattern to methods
	keeper  keeper
	cookies cookies
	paths   publicPaths
	mount   mountWarnings
}

// New returns a Handler, or an error that says what is invalid in cfg.
func New(cfg Config) (*Handler, error) {
	cfg.BasePath = cmp.Or(cfg.BasePath, defaultBasePath)
	cfg.LoginURL = cmp.Or(cfg.LoginURL, "/")
	cfg.HomeURL = cmp.Or(cfg.HomeURL, "/")
	if err := cfg.checkParts(); err != nil {
		return nil, err
	}
	if err := cfg.checkPaths(); err != nil {
		return nil, err
	}
	cfg.PasswordFor = slices.Clone(cfg.PasswordFor)
	cross, err := newCrossOrigin(cfg.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	h := &Handler{cfg: cfg, clock: time.Now, cross: cross,
		cookies: newCookies(cfg.Keys, cfg.ProxyPrefix+cfg.BasePath)}
	h.keeper = h.cookies
	h.paths = newPublicPaths(&cfg)
	h.cfg.outside()
	if cfg.Session != nil {
		h.keeper = sessionKeeper{cfg.Session}
	}
	if cfg.Clock != nil {
		h.clock = cfg.Clock.Now
	}
	if err := h.openUI(); err != nil {
		return nil, err
	}
	h.routes()
	return h, nil
}

// checkParts decides whether the fields that need each other are there.
func (cfg *Config) checkParts() error {
	switch {
	case cfg.Manager == nil:
		return errors.New("mfahttp: Config.Manager is nil: give it the Manager that mfa.New " +
			"returned")
	case cfg.Keys == nil && cfg.Session == nil:
		return errors.New("mfahttp: Config.Keys is nil: give it the Manager's keyring, which " +
			"seals the cookies, or set Config.Session")
	case cfg.Identify == nil:
		return errors.New("mfahttp: Config.Identify is nil: return the user who makes a request")
	case cfg.Account != nil && cfg.Verified == nil:
		return errors.New("mfahttp: Config.Account needs Config.Verified, which signs in the " +
			"user whom a passkey has named")
	case len(cfg.PasswordFor) > 0 && cfg.CheckPassword == nil:
		return errors.New("mfahttp: Config.PasswordFor needs Config.CheckPassword: set it, or " +
			"leave both empty")
	case cfg.OfferPasskeys < 0:
		return errors.New("mfahttp: Config.OfferPasskeys is negative: say how long a user who " +
			"declined is not asked, such as 90 days, or leave it zero")
	case cfg.Account != nil && !slices.Contains(cfg.Manager.Kinds(), kindPasskey):
		return errors.New("mfahttp: Config.Account is for signing in by passkey: " +
			"add package passkey to the Manager's Factors, or leave it nil")
	}
	return cfg.checkKinds()
}

// checkPaths decides whether the pages' own paths and those that they link to are on this site.
func (cfg *Config) checkPaths() error {
	if !validBase(cfg.BasePath) {
		return fmt.Errorf("mfahttp: Config.BasePath %q must be a plain path "+
			"with a slash at both ends, like /mfa/", cfg.BasePath)
	}
	if err := cfg.checkPrefix(); err != nil {
		return err
	}
	for name, u := range map[string]string{
		"LoginURL": cfg.LoginURL, "HomeURL": cfg.HomeURL, "Reauthenticate": cfg.Reauthenticate,
	} {
		if _, ok := localURL(u); !ok && (u != "" || name != "Reauthenticate") {
			return fmt.Errorf("mfahttp: Config.%s %q must be a path on this site "+
				"that begins with one slash", name, u)
		}
	}
	for _, p := range cfg.Public {
		if !strings.HasPrefix(p, "/") || p == "/" || !clean(p) {
			return fmt.Errorf("mfahttp: Config.Public %q must begin with one slash, "+
				"like /logout or /static/, and must not be the whole site", p)
		}
	}
	return nil
}

// validBase accepts a path that a http.ServeMux pattern and a cookie path take literally.
func validBase(p string) bool {
	if len(p) < 2 || p[0] != '/' || p[len(p)-1] != '/' || strings.Contains(p, "//") {
		return false
	}
	for _, c := range []byte(p) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("/-_.~", c) >= 0) {
			return false
		}
	}
	return !strings.Contains(p, "/./") && !strings.Contains(p, "/../")
}

// URL returns the URL at which the pages begin, for a link to the security settings, and for a
// user who has passed the first factor.
func (h *Handler) URL() string { return h.base() }

// Begin starts the second step of a sign-in for a user who has just passed the first, before
// Require or the pages would. It is for an API that responds to a correct password with Next and
// Options, and for an application that redirects by Next. Identity names the session that the
// application has made for the sign-in; its SignedInAt is now. After mfa.NextDone the sign-in is
// complete. The tokens in the challenge belong to the session. Begin removes what was kept for an
// earlier sign-in in the session. It sets cookies: call it before you write to w. Begin returns
// the Manager's errors. The application must not sign the user in after an error.
func (h *Handler) Begin(
	w http.ResponseWriter, r *http.Request, id Identity,
) (*mfa.Challenge, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	v := h.visit(w, r, nil)
	id.SignedInAt = v.now
	v.become(id)
	v.forget()
	ch, err := v.begin(purposeSignIn, id.User)
	if err != nil {
		return nil, err
	}
	if err := v.flush(); err != nil {
		return nil, err
	}
	return ch, nil
}

// Ended reports that a session has ended, or has waited too long for the second factor. get
// returns the values that the Handler kept in that session. If a sign-in was started in it and
// not completed, Ended cancels the challenge. The Manager's Config.Notify then warns the user, at
// most once a day, that another party knows the password. The Handler calls Ended itself when a
// user signs out during a sign-in. An application calls it where it removes old sessions.
func (h *Handler) Ended(ctx context.Context, get func(key string) []byte) error {
	var c pending
	if json.Unmarshal(get(keyChallenge+purposeSignIn), &c) != nil {
		return nil
	}
	user := mfa.User{Tenant: c.User[0], ID: c.User[1]}
	return abandon(ctx, h.cfg.Manager.Session(user, c.SessionID), &c)
}

// ServeHTTP serves everything under BasePath. The request's path must be whole: mount the
// Handler without http.StripPrefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.checkMount(r)
	h.protect(w, r, h.fail, h.mux.ServeHTTP)
}

// secure sets the headers of every response, including the application's own pages.
func secure(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+
		"'self'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "+
		"base-uri 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	// Not "no-referrer": under it browsers post forms with "Origin: null", and those that send no
	// Sec-Fetch-Site (older ones, and all of them on plain http) would then look cross-origin.
	// Other sites receive no referrer with either value. The pages say the same in a meta element,
	// since a proxy may add a header of its own.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// action serves one route. If it returns an error, it has not written a response yet.
type action func(v *visit) error

// route registers an action for a method and a path under BasePath.
func (h *Handler) route(method, path string, do action) { h.serve(method, path, false, do) }

// serve registers an action, with adopt also for a user who replaces a lost factor. A page has its
// brand before the action changes anything. Responses of the API show none, and a user can sign
// out without it.
func (h *Handler) serve(method, path string, adopt bool, do action) {
	full := h.cfg.BasePath + path
	h.methods[full] = append(h.methods[full], method)
	h.mux.HandleFunc(method+" "+full, func(w http.ResponseWriter, r *http.Request) {
		v := h.visit(w, r, h.fail)
		err := v.identify()
		if err == nil && adopt {
			v.adopt()
		}
		if err == nil && !h.isAPI(r) && path != "sign-out" {
			err = v.readLook()
		}
		page := ""
		if err == nil && !h.isAPI(r) {
			page = v.keepEnded()
		}
		switch {
		case err != nil:
		case page != "":
			err = v.redirect(v.login(page))
		default:
			err = do(v)
		}
		if err != nil {
			h.fail(v, err)
		}
	})
}

func (h *Handler) routes() {
	h.mux = http.NewServeMux()
	h.methods = map[string][]string{}
	h.apiRoutes()
	h.pageRoutes()
	for path, methods := range h.methods {
		if slices.Contains(methods, http.MethodGet) {
			methods = append(methods, http.MethodHead)
		}
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			v := h.visit(w, r, h.fail)
			v.recognise() // for the language and the navigation
			h.fail(v, errMethod)
		})
	}
	h.mux.HandleFunc("GET "+h.cfg.BasePath+"static/", h.serveStatic)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		v := h.visit(w, r, h.fail)
		v.recognise()
		h.fail(v, errNotFound)
	})
}

// fail writes the response for an error that a route did not handle itself.
func (h *Handler) fail(v *visit, err error) {
	p := problemOf(err)
	h.log(v.r, p, err)
	if h.isAPI(v.r) {
		writeProblem(v.w, p)
		return
	}
	v.failOr(p)
}

func (h *Handler) isAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, h.cfg.BasePath+"api/")
}

// maxURL bounds a URL to return to.
const maxURL = 2048

// localURL accepts a path on this site, with its query, and returns it in canonical form. It
// refuses a URL that browsers read as another site: "//host", a backslash for a slash, and
// control characters, which browsers drop.
func localURL(s string) (string, bool) {
	if len(s) > maxURL || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return "", false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c == '\\' || c >= 0x7f {
			return "", false
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		strings.HasPrefix(u.Path, "//") || strings.ContainsRune(u.Path, '\\') {
		return "", false
	}
	s = u.String() // escaping makes it longer
	return s, len(s) <= maxURL
}
