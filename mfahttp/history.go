package mfahttp

import (
	"context"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// How many events of a user are read, and how many of them the page shows before the user asks for
// more. The page does not wait longer than historyWait for them.
const (
	maxHistory   = 100
	shownHistory = 10
	historyWait  = 2 * time.Second
)

// addHistory adds what happened to the account. The page is worth showing without it.
func (v *visit) addHistory(p *ui.Factors) {
	if v.h.cfg.History == nil {
		return
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), historyWait)
	defer cancel()
	list, err := v.h.cfg.History(ctx, v.id.User, maxHistory)
	if err != nil {
		err = hookError("History", mfa.ErrUnavailable, err)
		v.h.log(v.r, problemOf(err), err)
		p.HistoryFailed = true
		return
	}
	p.History = ownHistory(list[:min(len(list), maxHistory)], v.id.User, v.h.cfg.Manager.Kinds())
	if len(p.History) > shownHistory && v.r.URL.Query().Get("history") != "all" {
		p.History, p.MoreHistory = p.History[:shownHistory], true
	}
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
