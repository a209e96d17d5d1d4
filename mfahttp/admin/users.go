package admin

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Bounds of one request.
const (
	defaultLimit = 25
	// maxExamined is how many users one request reads the records of. Where few users match, the
	// client asks for more.
	maxExamined = 200
)

// userJSON is a user in a list: what was enrolled, and no address.
type userJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	// Required says that the policy requires a second factor, and Missing that the user would
	// have to enrol one at the next sign-in.
	Required bool `json:"required"`
	Missing  bool `json:"missing"`
	// Enrolled are the kinds that the user has enrolled to sign in with, and Implied the addresses
	// that serve without an enrolment.
	Enrolled []string `json:"enrolled"`
	Implied  []string `json:"implied"`
	// Recovery are the kinds for recovery that the user has.
	Recovery []string `json:"recovery"`
	// Verified and Unverified are about the address of a user who has one.
	Verified   bool      `json:"verified"`
	Unverified bool      `json:"unverified"`
	Locked     bool      `json:"locked"`
	Until      time.Time `json:"locked_until,omitzero"`
	Disabled   bool      `json:"disabled"`
	// Asked says that the user has asked for help, to an administrator who may see such requests.
	Asked bool `json:"asked"`
	// Self says that it is the administrator's own account, on which they cannot act.
	Self bool `json:"self"`
	// Unreadable says that the user's record cannot be read, so that nothing else is known.
	Unreadable bool `json:"unreadable"`
}

// describe returns what a list says of a user.
func (v *visit) describe(e Entry) (userJSON, *mfa.Overview) {
	u := userJSON{ID: e.User.ID, Name: e.Name, Type: e.User.UserType, Enrolled: []string{},
		Implied: []string{}, Recovery: []string{}, Unverified: e.User.Email != "" &&
			!e.User.EmailVerified,
		Verified: e.User.Email != "" && e.User.EmailVerified, Asked: v.asked[e.User.ID],
		Self: e.User.ID == v.viewer.Actor().Name() && e.User.Tenant == v.viewer.Actor().Tenant()}
	o, err := v.h.cfg.Manager.Overview(v.ctx, e.User)
	if err != nil {
		u.Unreadable = true
		return u, nil
	}
	u.Required = o.Policy.Mode == policy.ModeRequired
	signsIn := false
	for _, f := range o.Factors {
		list := &u.Enrolled
		switch {
		case f.Implicit:
			list = &u.Implied
		case f.Recovery:
			list = &u.Recovery
		}
		if !slices.Contains(*list, f.Kind) {
			*list = append(*list, f.Kind)
		}
		u.Disabled = u.Disabled || f.Disabled
		signsIn = signsIn || !f.Recovery && (f.Implicit || o.Policy.Allows(f.Kind))
	}
	u.Missing = u.Required && !signsIn
	u.Locked, u.Until = !o.LockedUntil.IsZero(), instant(o.LockedUntil)
	return u, o
}

// filter says which users a request is about.
type filter struct {
	Text   string `json:"text,omitempty"`
	Type   string `json:"type,omitempty"`
	Status string `json:"status,omitempty"`
	Kind   string `json:"kind,omitempty"`
}

// statuses are the values of filter.Status.
var statuses = map[string]func(userJSON) bool{
	"":           func(userJSON) bool { return true },
	"required":   func(u userJSON) bool { return u.Required },
	"enrolled":   func(u userJSON) bool { return len(u.Enrolled) > 0 },
	"none":       func(u userJSON) bool { return len(u.Enrolled) == 0 && !u.Unreadable },
	"missing":    func(u userJSON) bool { return u.Missing },
	"unverified": func(u userJSON) bool { return u.Unverified },
	"locked":     func(u userJSON) bool { return u.Locked },
	"disabled":   func(u userJSON) bool { return u.Disabled },
	"asked":      func(u userJSON) bool { return u.Asked },
	"unreadable": func(u userJSON) bool { return u.Unreadable },
}

// check refuses a filter that is not one.
func (f filter) check() error {
	if len(f.Text) > maxText || !plain(f.Text) || len(f.Type) > 64 || !plain(f.Type) ||
		len(f.Kind) > 32 || statuses[f.Status] == nil {
		return malformed("the filter is not one")
	}
	return nil
}

// matches reports whether a user is one of those that the filter asks for. The directory has
// compared the rest.
func (f filter) matches(u userJSON) bool {
	return statuses[f.Status](u) && (f.Kind == "" || slices.Contains(u.Enrolled, f.Kind) ||
		slices.Contains(u.Implied, f.Kind) || slices.Contains(u.Recovery, f.Kind))
}

// query is what the filter asks of the directory.
func (f filter) query(tenant, cursor string) Query {
	return Query{Tenant: tenant, Text: f.Text, UserType: f.Type,
		Unverified: f.Status == "unverified", Cursor: cursor}
}

// values is the filter as the query of a page.
func (f filter) values() url.Values {
	return url.Values{"text": {f.Text}, "type": {f.Type}, "status": {f.Status}, "kind": {f.Kind}}
}

// step is what one request examines: at most Examined users, and users until about Found of them
// match.
type step struct {
	query           Query
	examined, found int
	// from is where the users are: the directory, or those who asked for help.
	from func(Query) (Page, error)
}

// step is the next step through the users of a filter. An administrator who may not see requests
// for help is refused where the filter asks for them.
func (v *visit) step(f filter, cursor string, examined, found int) (step, error) {
	s := step{f.query(v.tenant, cursor), examined, found, v.search}
	cases, err := v.viewer.SupportCases(v.ctx, v.tenant)
	switch {
	case err == nil:
	case f.Status != "asked" && errors.Is(err, mfa.ErrForbidden):
		return s, nil
	default:
		return s, err
	}
	v.asked = make(map[string]bool, len(cases))
	for _, c := range cases {
		v.asked[c.UserID] = true
	}
	if f.Status == "asked" {
		s.from = v.searchAsked
	}
	return s, nil
}

// searchAsked is search among the users who asked for help, who are few: the Manager keeps a
// bounded list, and the directory is not walked through. It compares the text itself.
func (v *visit) searchAsked(q Query) (Page, error) {
	var p Page
	text := strings.ToLower(q.Text)
	for _, id := range slices.Sorted(maps.Keys(v.asked)) {
		if id <= q.Cursor {
			continue
		}
		if len(p.Users) == q.Limit {
			p.Next = p.Users[q.Limit-1].User.ID
			break
		}
		e, err := v.lookUp(id)
		if errors.Is(err, ErrNoUser) {
			continue // deleted since
		}
		if err != nil {
			return Page{}, err
		}
		u := e.User
		if (q.UserType == "" || u.UserType == q.UserType) && strings.Contains(strings.ToLower(
			e.Name+" "+u.ID+" "+u.Account+" "+u.Email), text) {
			p.Users = append(p.Users, e)
		}
	}
	return p, nil
}

// walked is how far a step has come.
type walked struct {
	Examined int `json:"examined"`
	// Next is where the next request continues; absent at the end.
	Next string `json:"next,omitempty"`
}

// walk calls each for the users of a query whom the administrator may see, until as many match,
// or were examined, as the step says. It ends with a page of the directory, so that the next step
// continues after it; therefore it may end a little before enough of them match.
func (v *visit) walk(s step, each func(Entry) (matches bool, err error)) (walked, error) {
	var out walked
	found := 0
	for {
		s.query.Limit = min(s.found-found, s.examined-out.Examined, maxLimit)
		page, err := s.from(s.query)
		if err != nil {
			return out, err
		}
		for _, e := range page.Users {
			if err := v.ctx.Err(); err != nil {
				return out, err
			}
			seen, err := v.mayView(e.User)
			if err != nil {
				return out, err
			}
			if !seen {
				continue
			}
			matches, err := each(e)
			if err != nil {
				return out, err
			}
			if matches {
				found++
			}
		}
		out.Examined += max(1, len(page.Users))
		out.Next, s.query.Cursor = page.Next, page.Next
		if page.Next == "" || found >= s.found-s.found/4 || out.Examined >= s.examined {
			return out, nil
		}
	}
}

func getUsers(v *visit) error {
	l, err := v.list()
	if err != nil {
		return err
	}
	return v.ok(l)
}

// listed is a part of the list of users.
type listed struct {
	filter filter
	Users  []userJSON `json:"users"`
	walked
}

// list returns the users that the query of the request asks for.
func (v *visit) list() (listed, error) {
	var f filter
	var cursor, limit string
	for name, into := range map[string]*string{"text": &f.Text, "type": &f.Type,
		"status": &f.Status, "kind": &f.Kind, "cursor": &cursor, "limit": &limit} {
		var err error
		if *into, err = v.param(name, maxCursor); err != nil {
			return listed{}, err
		}
	}
	if err := errors.Join(f.check(), v.mayList()); err != nil {
		return listed{}, err
	}
	most := defaultLimit
	if limit != "" {
		var err error
		if most, err = strconv.Atoi(limit); err != nil || most < 1 || most > maxLimit {
			return listed{}, malformed("limit is not between 1 and %d", maxLimit)
		}
	}
	list := []userJSON{}
	next, err := v.step(f, cursor, maxExamined, most)
	if err != nil {
		return listed{}, err
	}
	at, err := v.walk(next, func(e Entry) (bool, error) {
		u, _ := v.describe(e)
		if !f.matches(u) {
			return false, nil
		}
		list = append(list, u)
		return true, nil
	})
	if err != nil {
		return listed{}, err
	}
	return listed{f, list, at}, nil
}
