package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// tourPart is a part of the demonstration's tour: something to do, and what shows that it was done.
type tourPart struct {
	ID, Name, Do string
	// at is where the part begins. It is under mfahttp's pages unless it begins with a slash.
	at string
	// byOwner is true for what only the owner can do.
	byOwner bool
	// passkey is true if the part needs an address at which browsers have passkeys.
	passkey bool
	// Command starts what the part needs, or is "".
	Command string
	// happened reports whether an event of the library is what the part is about. nil: no event is.
	happened func(mfa.Event) bool
}

// portalPart is the part that the portal's own program tells.
const portalPart = "portal"

var tourParts = []tourPart{
	{ID: "expiry", Name: "A code that expires",
		Do: "Ask for a code, move the clock in the outbox " +
			"forward by 91 seconds, and then enter the code.",
		at: "step-up?purpose=step-up&return=%2F",
		happened: func(e mfa.Event) bool {
			return (e.Name == "verify.failure" || e.Name == "confirm.failure") &&
				e.Reason == "expired"
		}},
	{ID: "lock", Name: "A lock", Do: "Ask for a code, and enter five wrong ones.",
		at:       "step-up?purpose=step-up&return=%2F",
		happened: named("lockout.locked")},
	{ID: "lost", Name: "A lost phone", Do: "Set up an authenticator app and save the recovery " +
		"codes. Then sign in again, with a recovery code in place of the app.", at: "enroll",
		happened: named("recovery.used", "recovery.replacement", "setup.opened")},
	{ID: "passkey", Name: "A passkey", Do: "Add a passkey, sign out, and sign in with it.",
		at: "enroll", passkey: true,
		happened: func(e mfa.Event) bool {
			return e.Name == "verify.success" && e.Kind == "passkey" && e.Purpose == "sign-in"
		}},
	{ID: "policy", Name: "A policy", Do: "As the owner, change what a kind of account needs to " +
		"sign in.", at: "/admin/mfa/policies", byOwner: true, happened: named("admin.set-policy")},
	{ID: "administration", Name: "Administration", Do: "As the owner, help another user: unlock " +
		"or reset them, or make them an access code.", at: libraryPath, byOwner: true,
		happened: named("admin.unlock", "admin.reset", "admin.remove", "admin.access")},
	{ID: portalPart, Name: "A portal", Do: "Start the portal in another terminal, and sign in to " +
		"its mail application.", Command: "go run ./examples/portal"},
}

func named(names ...string) func(mfa.Event) bool {
	return func(e mfa.Event) bool {
		for _, n := range names {
			if e.Name == n {
				return true
			}
		}
		return false
	}
}

// tour keeps which parts were done in this demonstration, by any user in any browser. The database
// has it too, so that it is there after a restart. The zero value keeps nothing.
type tour struct {
	db  *sql.DB // nil unless demonstrating
	log *slog.Logger

	mu   sync.Mutex
	done map[string]bool
}

// tourSetting begins the names of the settings of the tour.
const tourSetting = "tour."

func openTour(ctx context.Context, db *sql.DB, log *slog.Logger) (*tour, error) {
	t := &tour{db: db, log: log, done: map[string]bool{}}
	rows, err := db.QueryContext(ctx, `SELECT name FROM settings WHERE name LIKE ?`,
		tourSetting+"%")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		t.done[strings.TrimPrefix(name, tourSetting)] = true
	}
	return t, rows.Err()
}

// note ticks the parts that an event is about.
func (t *tour) note(ctx context.Context, e mfa.Event) {
	if t.db == nil {
		return
	}
	for _, p := range tourParts {
		if p.happened != nil && p.happened(e) {
			t.tick(ctx, p.ID)
		}
	}
}

// tick stores that a part was done.
func (t *tour) tick(ctx context.Context, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done[id] {
		return
	}
	// It happened, whether or not the browser still waits for the response.
	_, err := t.db.ExecContext(context.WithoutCancel(ctx), `INSERT INTO settings (name, value)
		VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, tourSetting+id,
		time.Now().UTC().Format(time.RFC3339))
	if err != nil {
		t.log.ErrorContext(ctx, "cannot store that a part of the tour was done", "part", id,
			"error", err)
		return
	}
	t.done[id] = true
}

func (t *tour) isDone(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done[id]
}

// restart forgets what was done.
func (t *tour) restart(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.db.ExecContext(ctx, `DELETE FROM settings WHERE name LIKE ?`, tourSetting+"%")
	if err == nil {
		clear(t.done)
	}
	return err
}

// tourView is the tour on the home page.
type tourView struct {
	Parts []tourPartView
	Done  int
}

type tourPartView struct {
	tourPart
	Done bool
	// To is where the part begins, or "" if that is not here.
	To string
	// Owner is the user to sign in as first, or nil.
	Owner *account
	// Missing is true for a part that cannot begin yet.
	Missing bool
}

// tourOf returns the tour as a user sees it, or nil outside of a demonstration.
func (a *app) tourOf(ctx context.Context, user *account) (*tourView, error) {
	if !a.cfg.demo {
		return nil, nil
	}
	list, err := a.users.demonstrators(ctx)
	if err != nil {
		return nil, err
	}
	var v tourView
	for _, p := range tourParts {
		part := tourPartView{tourPart: p, To: p.at}
		switch {
		case p.ID == portalPart:
			part.To = a.cfg.portal.String()
			part.Missing = !a.askPortal(ctx)
		case p.byOwner && user.Type != ownerType:
			part.To, part.Owner = "", demoOwner(list)
		case p.passkey && !a.passkeys():
			part.To, part.Missing = "", true
		case !strings.HasPrefix(p.at, "/"):
			part.To = a.gate.URL() + p.at
		}
		if part.Done = a.tour.isDone(p.ID); part.Done {
			v.Done++
		}
		v.Parts = append(v.Parts, part)
	}
	return &v, nil
}

// demoOwner returns an owner whose password the demonstration shows, or nil.
func demoOwner(list []account) *account {
	for i := range list {
		if list[i].Type == ownerType && list[i].DemoPassword() != "" {
			return &list[i]
		}
	}
	return nil
}

// portalStatus is what examples/portal says of itself at portalStatusPath.
type portalStatus struct {
	Program string `json:"program"`
	// SignedIn is how many users have signed in to an application by the portal.
	SignedIn int `json:"signed_in"`
}

const (
	portalProgram    = "examples/portal"
	portalStatusPath = "/status"
)

// askPortal reports whether examples/portal runs, and ticks its part once a user has signed in by
// it. The portal is another program, whose events do not reach this one.
func (a *app) askPortal(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	s, err := readPortalStatus(ctx, a.cfg.portal)
	if err != nil || s.Program != portalProgram {
		return false
	}
	if s.SignedIn > 0 {
		a.tour.tick(ctx, portalPart)
	}
	return true
}

func readPortalStatus(ctx context.Context, portal *url.URL) (s portalStatus, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		portal.JoinPath(portalStatusPath).String(), nil)
	if err != nil {
		return s, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	resp, err := client.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&s)
}

func (a *app) postTourRestart(w http.ResponseWriter, r *http.Request) {
	if err := a.tour.restart(r.Context()); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/", "The tour starts again.")
}
