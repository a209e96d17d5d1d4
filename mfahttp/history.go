package mfahttp

import (
	"context"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// How many events of a user the page shows at most, and how many before the user asks for more. The
// page does not wait longer than historyWait for them.
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
	ctx, cancel := context.WithTimeout(v.r.Context(), historyWait)
	defer cancel()
	own, all, err := v.readHistory(ctx, maxHistory)
	if err == nil && len(own) < shownHistory && !all {
		own, _, err = v.readHistory(ctx, mostHistory)
	}
	if err != nil {
		err = hookError("History", mfa.ErrUnavailable, err)
		v.h.log(v.r, problemOf(err), err)
		p.HistoryFailed = true
		return
	}
	p.History = own[:min(len(own), maxHistory)]
	if len(p.History) > shownHistory && v.r.URL.Query().Get("history") != "all" {
		p.History, p.MoreHistory = p.History[:shownHistory], true
	}
}

// readHistory returns what the user sees of the newest events, and whether these are all.
func (v *visit) readHistory(ctx context.Context, limit int) (own []ui.Event, all bool, err error) {
	list, err := v.h.cfg.History(ctx, v.id.User, limit)
	if err != nil {
		return nil, false, err
	}
	own = ownHistory(list[:min(len(list), limit)], v.id.User, v.h.cfg.Manager.Kinds())
	return own, len(list) < limit, nil
}

// ownHistory returns what a user sees of events, which may have those of other users.
func ownHistory(list []mfa.Event, user mfa.User, kinds []string) (shown []ui.Event) {
	for _, e := range list {
		if e.UserID != user.ID || e.Tenant != user.Tenant || !ui.OwnEvent(e.Name, kinds) {
			continue
		}
		shown = append(shown, ui.Event{Time: e.Time, Text: ui.EventText(e.Name, kinds),
			Kind: e.Kind, ByAdmin: e.Actor != ""})
	}
	return shown
}
