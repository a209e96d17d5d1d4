package mfahttp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

// keptHistory is a history as an application keeps it.
type keptHistory struct {
	asked []mfa.User
	list  []mfa.Event
	err   error
	ends  bool // the context ends
}

func (k *keptHistory) of(ctx context.Context, user mfa.User, limit int) ([]mfa.Event, error) {
	k.asked = append(k.asked, user)
	_, k.ends = ctx.Deadline()
	return k.list[:min(len(k.list), limit)], k.err
}

// historyOn returns the part of a page about the history, or "".
func historyOn(page string) string {
	_, after, _ := strings.Cut(page, `aria-labelledby="history"`)
	part, _, _ := strings.Cut(after, "</section>")
	return part
}

// Users see what happened to their account, in words, and nothing of other users, of the steps of
// a sign-in, or of what administrators wrote about them.
func TestHistory_IsTheUsersOwn(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	p := s.browser("ann")
	p.signIn()
	user := s.subject("ann")
	at := time.Unix(1700000000, 0)
	event := func(name string) mfa.Event {
		return mfa.Event{Name: name, UserID: user.ID, Tenant: user.Tenant, Time: at}
	}
	unlock, elsewhere, other := event("admin.unlock"), event("factor.removed"), event("device.used")
	unlock.Actor, unlock.Note = "carol-the-operator", "suspected of fraud"
	elsewhere.Tenant, other.UserID = "another", "ben"
	signedIn := event("verify.success")
	signedIn.Kind = "totp"
	kept.list = []mfa.Event{signedIn, unlock, elsewhere, other, event("send.success"),
		event("notice.sent"), event("challenge.begun"), event("acme.export"),
		event("admin.close-support"), event("admin.set-policy")}

	page := p.get("/mfa/factors").page(t, 200).Text
	part := historyOn(page)
	require.Equal(t, 2, strings.Count(part, "<time "), part)
	for _, want := range []string{"Recent activity", "Second step passed", "Authenticator app",
		"Unlocked", "By an administrator", `datetime="2023-11-14T22:13:20Z" data-moment`} {
		require.Contains(t, part, want)
	}
	require.Equal(t, 1, strings.Count(part, "By an administrator"))
	for _, secret := range []string{"carol-the-operator", "suspected of fraud", "acme.export"} {
		require.NotContains(t, page, secret)
	}
	require.Equal(t, user.ID, kept.asked[0].ID)
	require.Equal(t, user.Tenant, kept.asked[0].Tenant)
	require.True(t, kept.ends, "a slow history would hold up the page")
}

// The page shows the newest, and the others when the user asks for them.
func TestHistory_ShowsMoreWhenAsked(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	p := s.browser("ann")
	p.signIn()
	user := s.subject("ann")
	for i := range 120 {
		kept.list = append(kept.list, mfa.Event{Name: "verify.failure", UserID: user.ID,
			Tenant: user.Tenant, Time: time.Unix(int64(1700000000-i), 0)})
	}
	for n, path := range map[int]string{10: "factors", 100: "factors?history=all"} {
		part := historyOn(p.get("/mfa/"+path).page(t, 200).Text)
		require.Equal(t, n, strings.Count(part, "<time "), path)
		require.Contains(t, part, "2023-11-14T22:13:20Z", "the newest")
		require.Equal(t, n == 10, strings.Contains(part, `href="/mfa/factors?history=all#history"`))
	}
	kept.list = kept.list[:10]
	require.NotContains(t, historyOn(p.get("/mfa/factors").page(t, 200).Text), "history=all")
}

// An attacker who knows the password begins sign-ins without an end. These are no activity that the
// user sees, and hide none.
func TestHistory_IsNotPushedOutByBegunSignIns(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	p := s.browser("ann")
	p.signIn()
	user := s.subject("ann")
	for range 1500 {
		kept.list = append(kept.list, mfa.Event{Name: "challenge.begun", UserID: user.ID,
			Tenant: user.Tenant})
	}
	kept.list = append(kept.list, mfa.Event{Name: "factor.removed", UserID: user.ID,
		Tenant: user.Tenant, Time: time.Unix(1700000000, 0)})
	kept.asked = nil
	part := historyOn(p.get("/mfa/factors").page(t, 200).Text)
	require.Contains(t, part, "2023-11-14T22:13:20Z")
	require.Len(t, kept.asked, 2)

	kept.asked, kept.list = nil, kept.list[len(kept.list)-20:]
	p.get("/mfa/factors")
	require.Len(t, kept.asked, 1, "there is no more to read")
}

// The page of security settings works while there is no history: there may be none to show, or its
// database is down, and the page says that.
func TestHistory_MayFail(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	p := s.browser("ann")
	p.signIn()
	require.NotContains(t, p.get("/mfa/factors").page(t, 200).Text, `id="history"`)
	kept.err = errors.New("database down, password=hunter2")
	page := p.get("/mfa/factors").page(t, 200).Text
	require.Contains(t, historyOn(page), "Recent activity cannot be shown at the moment.")
	require.Contains(t, page, "Sign-in methods")
	require.NotContains(t, page, "hunter2")
	require.Contains(t, s.log.String(), "Config.History failed")
	require.NotContains(t, s.log.String(), "hunter2")

	without := newSite(t, nil).browser("ann")
	without.signIn()
	require.NotContains(t, without.get("/mfa/factors").page(t, 200).Text, `id="history"`)
}

// unlockedBy returns a history of a user whom an administrator unlocked.
func unlockedBy(actor string) func(context.Context, mfa.User, int) ([]mfa.Event, error) {
	return func(_ context.Context, user mfa.User, _ int) ([]mfa.Event, error) {
		return []mfa.Event{{Name: "admin.unlock", UserID: user.ID, Tenant: user.Tenant,
			Time: time.Unix(1700000000, 0), Actor: actor, Note: "suspected of fraud"}}, nil
	}
}

// The API has the events that the page shows, without what only administrators may read.
func TestAPIHistory_IsWhatThePageShows(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	p := s.browser("ann").signIn()
	require.Equal(t, []any{}, p.api("GET", "history", nil).is(t, 200, "").JSON["events"])
	user := s.subject("ann")
	event := func(name, kind string) mfa.Event {
		return mfa.Event{Name: name, UserID: user.ID, Tenant: user.Tenant, Kind: kind,
			Time: time.Unix(1700000000, 0)}
	}
	made, elsewhere, other := event("admin.totp", "totp"), event("factor.removed", "totp"),
		event("device.used", "")
	made.Actor, made.Note, made.FactorID = "carol-the-operator", "suspected of fraud", "F1"
	elsewhere.Tenant, other.UserID = "another", "ben"
	kept.list = []mfa.Event{event("verify.success", "email"), made, elsewhere, other,
		event("challenge.begun", ""), event("acme.export", "")}
	for range 150 {
		kept.list = append(kept.list, event("device.used", ""))
	}
	kept.asked = nil
	got := p.api("GET", "history", nil).is(t, 200, "")
	events := got.JSON["events"].([]any)
	const at = "2023-11-14T22:13:20Z"
	require.Equal(t, []any{
		m{"event": "verify.success", "time": at, "kind": "email", "by_admin": false},
		m{"event": "admin.access", "time": at, "kind": "totp", "by_admin": true},
		m{"event": "device.used", "time": at, "by_admin": false},
	}, events[:3])
	require.Len(t, events, 96, "of the newest 100")
	require.NotContains(t, got.Text, "carol")
	require.NotContains(t, got.Text, "fraud")
	require.Equal(t, user.ID, kept.asked[0].ID)
	require.True(t, kept.ends, "a slow history would hold up the client")

	kept.err = errors.New("database down, password=hunter2")
	require.NotContains(t, p.api("GET", "history", nil).is(t, 503, "unavailable").Text, "hunter2")
	without := newSite(t, nil).browser("ann").signIn()
	without.api("GET", "history", nil).is(t, 404, "not_found")
}

// An attacker who knows the password alone learns nothing, not even whether there is a history.
func TestAPIHistory_IsForUsersWhoAreSignedIn(t *testing.T) {
	kept := &keptHistory{}
	s := newSite(t, func(c *mfahttp.Config) { c.History = kept.of })
	s.browser("").api("GET", "history", nil).is(t, 401, "unauthorized")
	p := s.browser("ann")
	p.login()
	p.api("GET", "history", nil).is(t, 403, "forbidden")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("GET", "history", nil).is(t, 403, "forbidden")
	require.Empty(t, kept.asked, "it was not read")
	without := newSite(t, nil).browser("ann")
	without.login()
	without.api("GET", "history", nil).is(t, 403, "forbidden")
}
