package mfahttp

import (
	"context"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// How many events of a user the page and the API show at most, and how many the page shows before
// the user asks for more. Neither waits longer than historyWait for them.
//
// It reads mostHistory events if the newest maxHistory have too few that users see. An attacker who
// knows the password alone makes as many events of begun sign-ins as they like, and would push what
// they did before out of the user's sight.
const (
	maxHistory   = 100
	shownHistory = 10
	mostHistory  = 2000
	historyWait  = 2 * time.Second
)

// addHistory adds what happened to the account. The page is worth showing without it.
func (v *visit) addHistory(p *ui.Factors) {
	if v.h.cfg.History == nil {
		return
	}
	own, err := v.history()
	if err != nil {
		v.h.log(v.r, problemOf(err), err)
		p.HistoryFailed = true
		return
	}
	if len(own) > shownHistory && v.r.URL.Query().Get("history") != "all" {
		own, p.MoreHistory = own[:shownHistory], true
	}
	kinds := v.h.cfg.Manager.Kinds()
	for _, e := range own {
		p.History = append(p.History, ui.Event{Time: e.Time, Text: ui.EventText(e.Name, kinds),
			Kind: e.Kind, ByAdmin: e.Actor != ""})
	}
}

// apiHistory returns what the page shows of the user's history, all of it at once. As on the page,
// the user is signed in: a visitor who knows the password alone learns nothing.
func apiHistory(v *visit) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	if v.h.cfg.History == nil {
		return errNotFound
	}
	own, err := v.history()
	if err != nil {
		return err
	}
	kinds, events := v.h.cfg.Manager.Kinds(), []map[string]any{}
	for _, e := range own {
		shown := map[string]any{"event": ui.EventName(e.Name, kinds),
			"time": e.Time.UTC().Format(time.RFC3339), "by_admin": e.Actor != ""}
		if e.Kind != "" {
			shown["kind"] = e.Kind
		}
		events = append(events, shown)
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"events": events})
	return nil
}

// history returns the newest events that the user sees, at most maxHistory.
func (v *visit) history() ([]mfa.Event, error) {
	ctx, cancel := context.WithTimeout(v.r.Context(), historyWait)
	defer cancel()
	own, all, err := v.readHistory(ctx, maxHistory)
	if err == nil && len(own) < shownHistory && !all {
		own, _, err = v.readHistory(ctx, mostHistory)
	}
	if err != nil {
		return nil, hookError("History", mfa.ErrUnavailable, err)
	}
	return own[:min(len(own), maxHistory)], nil
}

// readHistory returns what the user sees of the newest events, and whether these are all.
func (v *visit) readHistory(ctx context.Context, limit int) (own []mfa.Event, all bool, err error) {
	list, err := v.h.cfg.History(ctx, v.id.User, limit)
	if err != nil {
		return nil, false, err
	}
	own = ownHistory(list[:min(len(list), limit)], v.id.User, v.h.cfg.Manager.Kinds())
	return own, len(list) < limit, nil
}

// ownHistory returns what a user sees of events, which may have those of other users.
func ownHistory(list []mfa.Event, user mfa.User, kinds []string) (own []mfa.Event) {
	for _, e := range list {
		if e.UserID != user.ID || e.Tenant != user.Tenant || !ui.OwnEvent(e.Name, kinds) {
			continue
		}
		own = append(own, e)
	}
	return own
}
