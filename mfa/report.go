package mfa

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	policies := policyCache{m: m, found: make(map[policy.Scope]policy.Policy)}
	counted := severalPages(m.pages(ctx, "", "p/"), pagesAtOnce, func(p page) (tally, error) {
		t := tally{groups: make(map[policy.Scope]*report.Group)}
		for _, e := range p.entries {
			if err := t.add(ctx, m, e, &policies); err != nil {
				return tally{}, err
			}
		}
		return t, nil
	})
	sum := tally{groups: make(map[policy.Scope]*report.Group)}
	for t, err := range counted {
		if err != nil {
			return nil, err
		}
		sum.merge(t)
	}
	out := &report.Summary{Unreadable: sum.unreadable}
	for _, g := range sum.groups {
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b report.Group) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.UserType, b.UserType))
	})
	return out, nil
}

// tally is the groups of some records in the making.
type tally struct {
	groups     map[policy.Scope]*report.Group
	unreadable int
}

// group returns the group of a scope, which it makes if there is none.
func (t *tally) group(scope policy.Scope) *report.Group {
	g := t.groups[scope]
	if g == nil {
		g = &report.Group{Tenant: scope.Tenant, UserType: scope.UserType,
			Kinds: make(map[string]int)}
		t.groups[scope] = g
	}
	return g
}

// merge adds what was counted of other records.
func (t *tally) merge(other tally) {
	t.unreadable += other.unreadable
	for scope, from := range other.groups {
		g := t.group(scope)
		g.Users += from.Users
		g.Enrolled += from.Enrolled
		g.NotEnrolled += from.NotEnrolled
		g.Locked += from.Locked
		g.Disabled += from.Disabled
		g.Undeliverable += from.Undeliverable
		g.Unknown += from.Unknown
		g.Excepted += from.Excepted
		g.ExceptedSoon += from.ExceptedSoon
		g.ToRenew += from.ToRenew
		for kind, n := range from.Kinds {
			g.Kinds[kind] += n
		}
	}
}

// policyCache has the policy of each scope as it was when it was first asked for. It is safe for
// concurrent use.
type policyCache struct {
	m     *Manager
	mu    sync.Mutex
	found map[policy.Scope]policy.Policy
}

func (c *policyCache) of(ctx context.Context, scope policy.Scope) (policy.Policy, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.found[scope]; ok {
		return p, nil
	}
	p, err := c.m.Policy(ctx, scope)
	if err == nil {
		c.found[scope] = p
	}
	return p, err
}

func (t *tally) add(
	ctx context.Context, m *Manager, e storage.Entry, policies *policyCache,
) error {
	tenant, ok := tenantOf(e.Key)
	r, err := m.open(e.Key, e.Record.Data)
	if err != nil || !ok {
		t.unreadable++
		return nil
	}
	scope := policy.Scope{Tenant: tenant, UserType: string(r.UserType)}
	p, err := policies.of(ctx, scope)
	if err != nil {
		return err
	}
	g, now := t.group(scope), r.At(m.now())
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
