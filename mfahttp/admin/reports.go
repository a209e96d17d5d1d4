package admin

import (
	"cmp"
	"errors"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

type groupJSON struct {
	Tenant        string         `json:"tenant"`
	Type          string         `json:"type"`
	Users         int            `json:"users"`
	Enrolled      int            `json:"enrolled"`
	NotEnrolled   int            `json:"not_enrolled"`
	Locked        int            `json:"locked"`
	Disabled      int            `json:"disabled"`
	Undeliverable int            `json:"undeliverable"`
	Unknown       int            `json:"unknown"`
	Excepted      int            `json:"excepted"`
	ExceptedSoon  int            `json:"excepted_soon"`
	Kinds         map[string]int `json:"kinds"`
}

// getReport counts the records of all tenants. The application is asked as "report", without a
// tenant.
func getReport(v *visit) error {
	sum, err := v.viewer.Report(v.ctx)
	if err != nil {
		return err
	}
	groups := []groupJSON{}
	for _, g := range sum.Groups {
		groups = append(groups, groupJSON{g.Tenant, g.UserType, g.Users, g.Enrolled,
			g.NotEnrolled, g.Locked, g.Disabled, g.Undeliverable, g.Unknown, g.Excepted,
			g.ExceptedSoon, g.Kinds})
	}
	return v.ok(struct {
		Groups     []groupJSON `json:"groups"`
		Unreadable int         `json:"unreadable"`
	}{groups, sum.Unreadable})
}

// getCases lists the users of the tenant who have asked for help and whom the administrator may
// see, the latest first.
func getCases(v *visit) error {
	list, err := v.cases()
	if err != nil {
		return err
	}
	return v.ok(struct {
		Cases []caseJSON `json:"cases"`
	}{list})
}

func (v *visit) cases() ([]caseJSON, error) {
	if err := v.mayList(); err != nil {
		return nil, err
	}
	list, err := v.viewer.SupportCases(v.ctx, v.tenant)
	if err != nil {
		return nil, err
	}
	out := []caseJSON{}
	for _, c := range list {
		e, err := v.find(c.UserID)
		if errors.Is(err, ErrNoUser) {
			continue // deleted since, or not for this administrator
		}
		if err != nil {
			return nil, err
		}
		out = append(out, caseOf(c, e.Name))
	}
	return out, nil
}

// getAudit compares the configuration and all policies with a profile. The application is asked as
// "audit", without a tenant, because the findings name the policies of every tenant.
func getAudit(v *visit) error {
	found, _, err := v.findings()
	if err != nil {
		return err
	}
	return v.ok(struct {
		Findings []policy.Finding `json:"findings"`
	}{append([]policy.Finding{}, found...)})
}

// findings are what the audit finds for the profile that the query names.
func (v *visit) findings() ([]policy.Finding, policy.Profile, error) {
	name, err := v.param("profile", 32)
	if err != nil {
		return nil, "", err
	}
	if err := v.viewer.Allowed(v.ctx, "audit", mfa.User{}); err != nil {
		return nil, "", err
	}
	profile := cmp.Or(policy.Profile(name), noProfile)
	found, err := v.h.cfg.Manager.Audit(v.ctx, profile)
	return found, profile, err
}
