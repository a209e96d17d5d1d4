package admin

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

//go:embed files
var embedded embed.FS

// openPages parses the pages, with the application's own texts laid over ours.
func (h *Handler) openPages() error {
	files, err := fs.Sub(embedded, "files")
	if err == nil {
		h.bodies, err = ui.NewBodies(files, h.cfg.Texts, "admin.", h.kinds()...)
	}
	return err
}

// kinds returns how the Handler's pages describe third-party kinds.
func (h *Handler) kinds() (list []ui.Kind) {
	for _, k := range h.cfg.Handler.Kinds() {
		described := ui.Kind{Kind: k.Kind, Files: k.Files, Response: ui.Field(k.Response)}
		for _, f := range k.Fields {
			described.Fields = append(described.Fields, ui.Field(f))
		}
		list = append(list, described)
	}
	return list
}

// base is what every page has.
type base struct {
	Base   string // where the administration begins, from the page: a proxy may remove a prefix
	Tenant string // the tenant, if it is not the administrator's own
	Page   string // the tab that is shown
	Pages  string // where the pages of package mfahttp begin
	Links  []Link // pages of the application beside the tabs
	// Keep is an input of the page's form, by which it keeps what was typed when the session ends.
	Keep  template.HTML
	words func(userType string) string
}

// TypeName returns the words for a user type, or "" for the one without a name.
func (b base) TypeName(userType string) string {
	if userType == "" || b.words == nil {
		return userType
	}
	return cmp.Or(b.words(userType), userType)
}

// Query is the query that keeps the tenant, or "".
func (b base) Query() string {
	if b.Tenant == "" {
		return ""
	}
	return "?" + url.Values{"tenant": {b.Tenant}}.Encode()
}

// And is the same before other parameters. It is a part of a query, and not one value there.
func (b base) And() template.URL {
	if b.Tenant == "" {
		return ""
	}
	return template.URL(url.Values{"tenant": {b.Tenant}}.Encode() + "&") //nolint:gosec // encoded
}

func (v *visit) base(page string) base {
	below := strings.Count(strings.TrimPrefix(v.r.URL.Path, v.h.cfg.BasePath), "/")
	b := base{Base: "./" + strings.Repeat("../", below), Page: page, Pages: v.h.cfg.Handler.URL()}
	if v.tenant != v.viewer.Actor().Tenant() {
		b.Tenant = v.tenant
	}
	b.Links = v.links(nil)
	if v.h.cfg.TypeName != nil {
		lang := v.h.cfg.Handler.Language(v.r)
		b.words = func(userType string) string {
			return v.h.cfg.TypeName(lang, policy.Scope{Tenant: v.tenant, UserType: userType})
		}
	}
	return b
}

// links returns the application's own pages, about a user or beside the tabs.
func (v *visit) links(user *mfa.User) []Link {
	if v.h.cfg.Links == nil {
		return nil
	}
	return v.h.cfg.Links(v.h.cfg.Handler.Language(v.r), user)
}

// show writes a page. title is the key of a text, or with a name of what it is about.
func (v *visit) show(status int, file, title, name string, data any) error {
	lang := v.h.cfg.Handler.Language(v.r)
	heading := name
	if title != "" {
		var err error
		if heading, err = v.h.bodies.Text(ui.Body{Lang: lang, Name: title,
			Data: name}); err != nil {
			return err
		}
	}
	body, err := v.h.bodies.Render(ui.Body{Lang: lang, Name: file, Data: data})
	if err != nil {
		return err
	}
	return v.h.cfg.Handler.Render(v.w, v.r, mfahttp.Page{Title: heading, Body: body,
		Status: status})
}

// shownStatuses are the statuses that the page of users offers, in their order.
var shownStatuses = []string{"missing", "none", "enrolled", "required", "unverified", "locked",
	"disabled", "asked", "unreadable"}

type usersPage struct {
	base
	Filter   filter
	Types    []string
	Statuses []string
	Kinds    []string
	Users    []userJSON
	Examined int
	// HasEmail says that links can be mailed that verify an address.
	HasEmail bool
	// More is the next page. Mail leads to the mails for the users that the filter shows, and
	// Resend to the links that verify the addresses of those who have not.
	More, Mail, Resend string
}

func pageUsers(v *visit) error {
	l, err := v.list()
	if err != nil {
		return err
	}
	p := usersPage{base: v.base("users"), Filter: l.filter, Types: v.h.cfg.UserTypes,
		Statuses: shownStatuses, Kinds: v.h.cfg.Manager.Kinds(), Users: l.Users,
		Examined: l.Examined, HasEmail: slices.Contains(v.h.cfg.Manager.Kinds(), kindEmail)}
	q := l.filter.values()
	if p.Tenant != "" {
		q.Set("tenant", p.Tenant)
	}
	p.Mail = p.Base + "mails?" + q.Encode()
	p.Resend = p.Base + "mails/resend?" + q.Encode()
	if l.Next != "" {
		q.Set("cursor", l.Next)
		p.More = p.Base + "?" + q.Encode()
	}
	return v.show(http.StatusOK, "users", "admin.users", "", p)
}

// group is what solves one kind of problem.
type group struct {
	Name string
	Acts []string
}

// actIcons are the icons of the acts on the page of a user.
var actIcons = map[string]string{"unlock": "lock", "access-code": "access",
	"recovery-link": "email", "verification-link": "email", "reset": "warning",
	"end-sessions": "device", "delete": "warning", "exception": "access",
	"end-exception": "lock"}

type userPage struct {
	base
	User   *aUserJSON
	Groups []group
	Icons  map[string]string
	Kinds  []string
	// Others are pages of the application about the user.
	Others []Link
	// Done is the act that was just done, or "".
	Done string
}

// Chips is the user for the block "chips", without the mark of one's own account.
func (p userPage) Chips() userJSON {
	u := p.User.userJSON
	u.Self = false
	return u
}

// CodesLeft is how many recovery codes remain.
func (p userPage) CodesLeft() int { return *p.User.RecoveryCodes }

func pageUser(v *visit) error {
	id, err := v.param("id", 128)
	if err != nil {
		return err
	}
	done, err := v.param("done", 32)
	if err != nil {
		return err
	}
	e, err := v.find(id)
	if err != nil {
		return err
	}
	u, err := v.everything(e)
	if err != nil {
		return err
	}
	p := userPage{base: v.base("user"), User: u, Icons: actIcons, Kinds: v.h.cfg.Manager.Kinds()}
	if _, ok := deeds[done]; ok {
		p.Done = done
	}
	if !u.Self {
		p.Groups, p.Others = v.groups(u), v.links(&e.User)
	}
	return v.show(http.StatusOK, "user", "", e.Name, p)
}

// groups are the acts that help this user, by what they solve.
func (v *visit) groups(u *aUserJSON) []group {
	var blocked, lost, address []string
	if u.Locked || u.Disabled {
		blocked = append(blocked, "unlock")
	}
	if slices.Contains(v.h.cfg.Manager.Kinds(), kindAccess) {
		blocked = append(blocked, "access-code")
	}
	blocked = append(blocked, "recovery-link")
	if act := exceptionAct(u); act != "" {
		blocked = append(blocked, act)
	}
	if _, ok := v.h.cfg.Users.(Sessions); ok {
		lost = append(lost, "end-sessions")
	}
	lost = append(lost, "reset")
	if u.Unverified {
		address = append(address, "verification-link")
	}
	list := []group{{"blocked", blocked}, {"lost", lost}, {"address", address},
		{"end", []string{"delete"}}}
	return slices.DeleteFunc(list, func(g group) bool { return len(g.Acts) == 0 })
}

type casesPage struct {
	base
	Cases []caseJSON
}

func pageCases(v *visit) error {
	list, err := v.cases()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "cases", "admin.cases", "", casesPage{v.base("cases"), list})
}

type reportPage struct {
	base
	Groups     []reportGroup
	Unreadable int
}

type reportGroup struct {
	Tenant, Type string
	Users        int
	Bars         []bar
}

// bar is one line of the chart.
type bar struct {
	Kind, Text     string
	Count, Percent int
	Bad            bool
}

func pageReport(v *visit) error {
	sum, err := v.viewer.Report(v.ctx)
	if err != nil {
		return err
	}
	p := reportPage{base: v.base("report"), Unreadable: sum.Unreadable}
	for _, g := range sum.Groups {
		p.Groups = append(p.Groups, v.chart(g))
	}
	return v.show(http.StatusOK, "report", "admin.report", "", p)
}

// chart has the bars of a group, those of the kinds in the order of the configuration.
func (v *visit) chart(g report.Group) reportGroup {
	out := reportGroup{Tenant: g.Tenant, Type: g.UserType, Users: g.Users}
	add := func(b bar) {
		if g.Users > 0 {
			b.Percent = b.Count * 100 / g.Users
		}
		out.Bars = append(out.Bars, b)
	}
	add(bar{Text: "enrolled", Count: g.Enrolled})
	add(bar{Text: "not-enrolled", Count: g.NotEnrolled, Bad: true})
	for _, kind := range v.h.cfg.Manager.Kinds() {
		if n := g.Kinds[kind]; n > 0 {
			add(bar{Kind: kind, Count: n})
		}
	}
	for _, b := range []bar{{Text: "locked", Count: g.Locked, Bad: true},
		{Text: "disabled", Count: g.Disabled, Bad: true},
		{Text: "excepted", Count: g.Excepted, Bad: true},
		{Text: "excepted-soon", Count: g.ExceptedSoon, Bad: true}} {
		if b.Count > 0 {
			add(b)
		}
	}
	return out
}

// page registers a page. An administrator who has to act proves enough before they see the form.
func (h *Handler) page(method, path string, do action) {
	full := h.cfg.BasePath + path
	h.methods[full] = append(h.methods[full], method)
	h.mux.HandleFunc(method+" "+full, func(w http.ResponseWriter, r *http.Request) {
		v := h.visit(w, r)
		v.page = true
		h.run(v, do)
	})
}

// pageAct registers the pages of an act: what it will do, and the form.
func (h *Handler) pageAct(name string, d deed) {
	h.pageActor("GET", "user/"+name, (*visit).mayList, func(v *visit) error {
		return pageOrder(v, name, d)
	})
	h.pageActor("POST", "user/"+name, (*visit).mayList, func(v *visit) error {
		return postOrder(v, name, d)
	})
}

// pageActor registers a page for an administrator who has just proven enough to act. The browser
// of one who has not is redirected to the step-up and back.
func (h *Handler) pageActor(method, path string, may, do action) {
	h.page(method, path, func(v *visit) error {
		if err := may(v); err != nil {
			return err
		}
		proven := func(w http.ResponseWriter, r *http.Request) {
			v.w, v.r = w, r
			h.run(v, func(v *visit) (err error) {
				if v.actor, err = h.cfg.Handler.Actor(r); err != nil {
					return err
				}
				return do(v)
			})
		}
		h.cfg.Handler.RequireActor(http.HandlerFunc(proven)).ServeHTTP(v.w, v.r)
		return nil
	})
}

// failPage writes the page for an error.
func (v *visit) failPage(err error) {
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errReason), errors.Is(err, policy.ErrInvalid):
		err = malformed("a form that no page has made")
	case errors.Is(err, errors.ErrUnsupported):
		err = fmt.Errorf("%w: the store cannot list records", mfa.ErrNotAvailable)
	}
	if !errors.Is(err, ErrNoUser) {
		v.h.cfg.Handler.Deny(v.w, v.r, err)
		return
	}
	err = v.show(http.StatusNotFound, "nothing", "admin.missing", "", v.base(""))
	if err != nil {
		v.h.cfg.Handler.Deny(v.w, v.r, err)
	}
}
