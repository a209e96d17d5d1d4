package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

type auditOptions struct{ profile, kinds string }

func auditFlags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.auditing.profile, "profile", "default",
		"default, nist-aal2, nist-aal3, asvs-l2, asvs-l3 or pci-dss-4")
	f.StringVar(&c.auditing.kinds, "kinds", "",
		"the kinds that the application configures, with commas between them; defaults to all")
}

// audit compares the policies in the store with a profile.
func audit(ctx context.Context, c *call) error {
	found, err := c.manager.Audit(ctx, policy.Profile(c.auditing.profile))
	if errors.Is(err, policy.ErrInvalid) {
		return fmt.Errorf("%w; %w", err, errUsage)
	}
	if err != nil {
		return err
	}
	// What this program configures is not what the application does.
	found = slices.DeleteFunc(found, func(f policy.Finding) bool {
		return strings.HasPrefix(f.Where, "Config.")
	})
	if err := c.writeAudit(found); err != nil {
		return err
	}
	broken := 0
	for _, f := range found {
		if !f.Advice {
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("%w: %d findings break the profile %s", errFound, broken,
			c.auditing.profile)
	}
	return nil
}

func (c *call) writeAudit(found []policy.Finding) error {
	if c.json {
		return writeJSON(c, map[string]any{"profile": c.auditing.profile,
			"findings": append([]policy.Finding{}, found...)})
	}
	t := c.table("Nothing breaks the profile "+c.auditing.profile+".", "ROW", "RESULT", "WHERE",
		"FINDING")
	for _, f := range found {
		result := resultProblem
		if f.Advice {
			result = "advice"
		}
		t.row(f.Row, result, f.Where, f.Problem+"; "+f.Remedy)
	}
	return t.flush()
}

// configured returns those of all kinds that the application configures.
func (o auditOptions) configured(all []factor.Factor) (list []factor.Factor, err error) {
	if o.kinds == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(o.kinds, ",") {
		i := slices.IndexFunc(all, func(f factor.Factor) bool {
			return f.Kind() == strings.TrimSpace(name)
		})
		if i < 0 {
			return nil, fmt.Errorf("-kinds has %q, which is no kind; %w", name, errUsage)
		}
		list = append(list, all[i])
	}
	return list, nil
}
