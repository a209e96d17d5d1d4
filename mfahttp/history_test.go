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
