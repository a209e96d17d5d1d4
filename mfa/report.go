package mfa

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/storage"
)

// Report walks all records and counts. It reads the whole store and sees each user at some
// time during the walk, so it is for a command or for a page that is seldom asked for. Where a
// walk may repeat an entry, as a Redis that grows meanwhile does, that user counts twice.
//
// Config.Authorize is asked whether the actor may see it, as "report"; reading needs no fresh
// proof. The Config.Store must be a storage.Lister; otherwise the error wraps
// errors.ErrUnsupported. Any other error wraps ErrUnavailable, and there is no partial report.
func (a Admin) Report(ctx context.Context) (*report.Summary, error) {
	m := a.m
	if err := m.allowed(ctx, a.actor, AdminAction{Name: "report", Reason: a.reason}); err != nil {
		return nil, err
	}
	out := &report.Summary{}
	groups := make(map[policy.Scope]*tally)
	for page, err := range m.pages(ctx, "", "p/") {
		if err != nil {
			return nil, err
		}
		for _, e := range page.entries {
			if err := m.tally(ctx, e, groups, out); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range groups {
		out.Groups = append(out.Groups, g.Group)
	}
	slices.SortFunc(out.Groups, func(a, b report.Group) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.UserType, b.UserType))
	})
	return out, nil
}

// tally is a group in the making, with its policy.
type tally struct {
	report.Group
	policy policy.Policy
}

func (m *Manager) tally(
	ctx context.Context, e storage.Entry, groups map[policy.Scope]*tally, out *report.Summary,
) error {
	tenant, ok := tenantOf(e.Key)
	r, err := m.open(e.Key, e.Record.Data)
	if err != nil || !ok {
		out.Unreadable++
		return nil
	}
	scope := policy.Scope{Tenant: tenant, UserType: string(r.UserType)}
	g := groups[scope]
	if g == nil {
		p, err := m.Policy(ctx, scope)
		if err != nil {
			return err
		}
		g = &tally{policy: p, Group: report.Group{Tenant: tenant,
			UserType: scope.UserType, Kinds: make(map[string]int)}}
		groups[scope] = g
	}
	p, now := g.policy, r.At(m.now())
	c := &token.Claims{Purpose: token.PurposeSignIn}
	c.SetPolicy(p)
	g.Users++
	enrolled, disabled, kinds := false, false, make(map[string]bool)
	// A user who has only what this process does not know, or what nothing can be sent to, is in
	// no column but the ones for that.
	v := m.view(r, c, now)
	list, unusable := v.Candidates()
	count(&g.Unknown, errors.Is(unusable, ErrKindNotConfigured))
	count(&g.Undeliverable, r.Undeliverable != 0 && !m.rules.HasOwn(r))
	for _, k := range list {
		kinds[k.Kind] = true
		enrolled = enrolled || !m.rules.Kinds[k.Kind].Recovery && !v.Restricted(k.Instance)
		disabled = disabled || m.cfg.Lockout.Status(r.Lockout, k.Kind, now).Disabled
	}
	for kind := range maps.Keys(kinds) {
		g.Kinds[kind]++
	}
	count(&g.Enrolled, enrolled)
	count(&g.NotEnrolled, !enrolled && p.Mode == policy.ModeRequired)
	count(&g.Disabled, disabled)
	count(&g.ToRenew, len(r.Renew) > 0)
	x := m.exceptionOf(r, token.Subject{}, now)
	count(&g.Excepted, x != nil)
	count(&g.ExceptedSoon, x != nil && x.Ends.Before(now.Add(endsSoon)))
	count(&g.Locked, !v.LockedUntil(v.Options(list, p.Default)).IsZero())
	return nil
}

// endsSoon is when an exception ends soon, so that there is time to decide what follows it.
const endsSoon = 14 * 24 * time.Hour

func count(n *int, is bool) {
	if is {
		*n++
	}
}

// tenantOf is the tenant in the key of a user's record.
func tenantOf(key string) (string, bool) {
	digits, rest, ok := strings.Cut(strings.TrimPrefix(key, "p/"), "/")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n >= len(rest) || rest[n] != '/' {
		return "", false
	}
	return rest[:n], true
}
