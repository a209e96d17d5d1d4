package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Config configures a Handler. Handler, Manager and Users are required.
type Config struct {
	// Handler serves the application's second factor. It says who makes a request.
	Handler *mfahttp.Handler
	// Manager is the Handler's. Its Config.Authorize decides who may do what, and is asked with
	// the names of mfa.AdminAction.
	Manager *mfa.Manager
	// Users is the application's list of users. If it is a Sessions too, administrators see and
	// end sessions.
	Users Directory
	// UserTypes are the values of mfa.User.UserType that have a policy of their own. Defaults to
	// one without a name.
	UserTypes []string
	// TypeName returns the words for a user type of a tenant in the language of a page, such as
	// "manager" in English for "mgr". The API has the values of UserTypes. If it is nil or returns
	// "", pages show the value.
	TypeName func(language string, of policy.Scope) string
	// History returns what happened to a user, the latest first, at most limit events: the
	// application keeps what mfa.Config.Events receives, or History is the Newest of a trail.Trail.
	// An administrator is shown 100 events, 20 of them begun sign-ins. The page asks for 2000 where
	// there are more of these among the newest 100. If it is nil, no history is shown.
	History func(ctx context.Context, user mfa.User, limit int) ([]mfa.Event, error)
	// Around is called for every act on one user, named as in mfa.AdminAction, and calls act. It
	// does what belongs to the act in the application, before or after it, such as ending linked
	// accounts at a reset. It may refuse the act by not calling act and returning an error. Nil:
	// the act alone.
	Around func(ctx context.Context, by mfa.Admin, name string, user mfa.User,
		act func(ctx context.Context) error) error
	// Links returns the application's own pages for administrators: those about a user, or with a
	// nil user those that are shown beside the tabs. language is that of the page. The application
	// checks who opens them. Nil: none.
	Links func(language string, user *mfa.User) []Link
	// Texts has the application's own texts of the pages, as mfahttp.Config.Templates has those of
	// the other pages: the same fs.FS fits. Nil: the built-in ones.
	Texts fs.FS
	// BasePath is the path at which the Handler is mounted, with a slash at both ends, outside of
	// mfahttp.Config.BasePath. Defaults to "/admin/mfa/".
	BasePath string
}

// Link leads to a page of the application.
type Link struct {
	// Name is the text of the link. About says in a sentence what the page does; it is not shown
	// beside the tabs.
	Name, About string
	// URL begins with a slash, or with https:// for another site.
	URL string
}

// Handler serves the administration. It is safe for concurrent use, and keeps nothing between two
// requests.
type Handler struct {
	cfg     Config
	serve   http.Handler
	methods map[string][]string // path to methods
	mux     *http.ServeMux
	bodies  *ui.Bodies
}

// New returns a Handler, or an error that says what is invalid in cfg.
func New(cfg Config) (*Handler, error) {
	cfg.BasePath = cmp.Or(cfg.BasePath, "/admin/mfa/")
	switch {
	case cfg.Handler == nil:
		return nil, errors.New("admin: Config.Handler is nil: give it the Handler that " +
			"mfahttp.New returned")
	case cfg.Manager == nil:
		return nil, errors.New("admin: Config.Manager is nil: give it the Handler's Manager")
	case cfg.Users == nil:
		return nil, errors.New("admin: Config.Users is nil: give it the application's users")
	case !strings.HasPrefix(cfg.BasePath, "/") || !strings.HasSuffix(cfg.BasePath, "/") ||
		strings.ContainsAny(cfg.BasePath, "{}%\\ ") || strings.Contains(cfg.BasePath, "//"):
		return nil, fmt.Errorf("admin: Config.BasePath %q must be a plain path with a slash at "+
			"both ends, like /admin/mfa/", cfg.BasePath)
	case strings.HasPrefix(cfg.BasePath, cfg.Handler.URL()):
		return nil, fmt.Errorf("admin: Config.BasePath %q is inside of %s, where the Handler "+
			"serves its own pages", cfg.BasePath, cfg.Handler.URL())
	}
	cfg.UserTypes = slices.Clone(cfg.UserTypes)
	if len(cfg.UserTypes) == 0 {
		cfg.UserTypes = []string{""}
	}
	h := &Handler{cfg: cfg, mux: http.NewServeMux(), methods: map[string][]string{}}
	if err := h.openPages(); err != nil {
		return nil, fmt.Errorf("admin: Config.Texts: %w", err)
	}
	h.routes()
	h.serve = cfg.Handler.Protect(cfg.Handler.Require(h.mux))
	return h, nil
}

// ServeHTTP serves everything under BasePath. The request's path must be whole: mount the Handler
// without http.StripPrefix.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

func (h *Handler) routes() {
	h.read("users", getUsers)
	h.read("user", getUser)
	h.read("policies", getPolicies)
	h.read("report", getReport)
	h.read("cases", getCases)
	h.read("audit", getAudit)
	// These examine users and change nothing. Their bodies are too long for a query.
	h.route("POST", "policies/preview", postPreview)
	h.route("POST", "mails/preview", previewMails)
	h.act("PUT", "policies", (*visit).mayViewPolicy, putPolicies)
	h.act("POST", "mails", (*visit).mayList, postMails)
	for path, d := range deeds {
		h.onUser(path, d)
		h.pageAct(path, d)
	}
	h.page("GET", "{$}", pageUsers)
	h.page("GET", "user", pageUser)
	h.page("GET", "cases", pageCases)
	h.page("GET", "report", pageReport)
	h.page("GET", "audit", pageAudit)
	h.page("GET", "policies", pagePolicies)
	h.page("POST", "policies/preview", pagePreview) // as in the API
	h.page("POST", "mails/preview", pageMailPreview)
	h.pageActor("GET", "policies/edit", (*visit).mayViewPolicy, pagePolicy)
	h.pageActor("POST", "policies", (*visit).mayViewPolicy, postPolicy)
	h.pageActor("GET", "mails", (*visit).mayList, pageMails)
	h.pageActor("POST", "mails", (*visit).mayList, postMailPage)
	h.pageActor("GET", "mails/resend", (*visit).mayList, pageResend)
	h.read("openapi.json", getOpenAPI)
	for path, methods := range h.methods {
		if slices.Contains(methods, http.MethodGet) {
			methods = append(methods, http.MethodHead)
		}
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		h.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allow)
			writeJSON(w, http.StatusMethodNotAllowed, problem{Error: "method_not_allowed"})
		})
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		v := h.visit(w, r)
		v.page = !strings.HasPrefix(r.URL.Path, h.cfg.BasePath+"api/")
		h.run(v, func(*visit) error { return ErrNoUser })
	})
}

// action serves one route. If it returns an error, it has not written a response yet.
type action func(v *visit) error

// read registers a route for an administrator who reads, which needs no fresh proof.
func (h *Handler) read(path string, do action) { h.route(http.MethodGet, path, do) }

// act registers a route that changes something, or sends something. The administrator has just
// proven enough for it; the Manager checks it again at the act. may is asked first, so that a user
// who is no administrator is not asked for a proof.
func (h *Handler) act(method, path string, may, do action) {
	h.route(method, path, func(v *visit) error {
		if err := may(v); err != nil {
			return err
		}
		var err error
		if v.actor, err = h.cfg.Handler.Actor(v.r); err != nil {
			return err
		}
		return do(v)
	})
}

func (h *Handler) route(method, path string, do action) {
	full := h.cfg.BasePath + "api/" + path
	h.methods[full] = append(h.methods[full], method)
	h.mux.HandleFunc(method+" "+full, func(w http.ResponseWriter, r *http.Request) {
		h.run(h.visit(w, r), do)
	})
}

func (h *Handler) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{h: h, w: w, r: r, ctx: r.Context()}
}

// run finds out who makes the request, and does what it asks for.
func (h *Handler) run(v *visit, do action) {
	err := v.identify()
	if err == nil {
		err = do(v)
	}
	switch {
	case err != nil && v.page:
		v.failPage(err)
	case err != nil:
		v.fail(err)
	}
}
