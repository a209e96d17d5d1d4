package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// userJSON is what "status -json" writes of a user.
type userJSON struct {
	ID          string       `json:"id"`
	Tenant      string       `json:"tenant,omitempty"`
	LockedUntil *time.Time   `json:"locked_until,omitempty"`
	Factors     []factorJSON `json:"factors"`
	Devices     []deviceJSON `json:"devices"`
}

type factorJSON struct {
	ID                string     `json:"id"`
	Kind              string     `json:"kind"`
	Name              string     `json:"name,omitempty"`
	MaskedDestination string     `json:"masked_destination,omitempty"`
	Created           time.Time  `json:"created"`
	LastUsed          *time.Time `json:"last_used,omitempty"`
	Disabled          bool       `json:"disabled,omitempty"`
	Renew             bool       `json:"renew,omitempty"`
	CodesLeft         *int       `json:"codes_left,omitempty"`
}

type deviceJSON struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

func status(ctx context.Context, c *call) error {
	o, err := c.manager.Overview(ctx, c.subject())
	if err != nil {
		return err
	}
	u := describe(c, o)
	if c.json {
		return writeJSON(c, u)
	}
	if u.LockedUntil != nil {
		until := "Locked until " + u.LockedUntil.Format(time.RFC3339) + "."
		fmt.Fprintln(raw(c.out), c.paint(red, until))
	}
	t := c.table(c.withoutFactor(o), "KIND", "NAME", "ADDED", "LAST USED", "REMARKS")
	for _, f := range u.Factors {
		t.row(f.Kind, f.Name, f.Created.Format(time.DateOnly), dayOf(f.LastUsed), f.remarks())
	}
	for _, d := range u.Devices {
		t.row("device", d.Name, d.Created.Format(time.DateOnly), "",
			"until "+d.Expires.Format(time.DateOnly))
	}
	err = t.flush()
	if len(u.Factors) == 0 && len(u.Devices) > 0 {
		_, unsaid := fmt.Fprintln(c.out, c.withoutFactor(o))
		err = errors.Join(err, unsaid)
	}
	return err
}

// withoutFactor says that a user has no factor, and what the policy in the store asks of the user.
func (c *call) withoutFactor(o *mfa.Overview) string {
	return fmt.Sprintf("%s has no second factor. %s", c.args[0], asks(o, time.Now()))
}

// asks says what a policy asks of a user without a factor.
func asks(o *mfa.Overview, now time.Time) string {
	p := o.Policy
	switch {
	case p.Mode == policy.ModeOff:
		return "The policy asks no user for one."
	case o.Exception != nil && o.Exception.Ends.After(now):
		return "An exception lets the user sign in without one until " +
			o.Exception.Ends.Format(time.RFC3339) + "."
	case p.Mode == policy.ModeOptional:
		return "The policy requires none."
	case p.EnrollBy.After(now):
		return "The policy requires one from " + p.EnrollBy.Format(time.RFC3339) + "."
	case len(p.Implicit) > 0:
		return "The policy requires one, and lets the user have " + strings.Join(p.Implicit, ", ") +
			" where the application has verified the address."
	case p.EnrollWithin > 0 || p.EnrollSkips > 0:
		return "The policy requires one, and lets the user postpone the enrolment for a while."
	}
	return "The policy requires one: the user enrols at the next sign-in."
}

func describe(c *call, o *mfa.Overview) userJSON {
	u := userJSON{ID: c.args[0], Tenant: c.tenant, LockedUntil: moment(o.LockedUntil),
		Factors: []factorJSON{}, Devices: []deviceJSON{}}
	for _, f := range o.Factors {
		shown := factorJSON{ID: f.ID, Kind: f.Kind, Name: f.Name,
			MaskedDestination: f.MaskedDestination, Created: f.Created,
			LastUsed: moment(f.LastUsed), Disabled: f.Disabled, Renew: f.Renew}
		if f.Remaining >= 0 {
			shown.CodesLeft = &f.Remaining
		}
		u.Factors = append(u.Factors, shown)
	}
	for _, d := range o.Devices {
		u.Devices = append(u.Devices, deviceJSON{d.Name, d.Created, d.Expires})
	}
	return u
}

func (f factorJSON) remarks() string {
	var list []string
	if f.MaskedDestination != "" {
		list = append(list, f.MaskedDestination)
	}
	if f.CodesLeft != nil {
		list = append(list, fmt.Sprintf("%d codes remain", *f.CodesLeft))
	}
	if f.Disabled {
		list = append(list, "disabled")
	}
	if f.Renew {
		list = append(list, "to be renewed")
	}
	return strings.Join(list, ", ")
}

// moment returns a time, or nil for the zero one.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func dayOf(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Format(time.DateOnly)
}

func writeJSON(c *call, v any) error {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// noRecord says that the store does not know the user.
func (c *call) noRecord() error {
	return fmt.Errorf("the store has no record of the user %q in the tenant %q", c.args[0],
		c.tenant)
}

// done says that an act was done.
func (c *call) done(did string) error {
	if c.json {
		return writeJSON(c, map[string]string{"id": c.args[0], "tenant": c.tenant, "done": c.name})
	}
	_, err := fmt.Fprintf(c.out, "%s %s.\n", c.args[0], did)
	return err
}

func unlock(ctx context.Context, c *call) error {
	if err := c.admin().Unlock(ctx, c.subject()); err != nil {
		return err
	}
	return c.done("is unlocked")
}

func reset(ctx context.Context, c *call) error {
	if err := c.admin().Reset(ctx, c.subject()); err != nil {
		return err
	}
	return c.done("has no factors, and enrols at the next sign-in")
}

// remove deletes a user. For one without a record nothing changes, but that what was issued before
// is refused.
func remove(ctx context.Context, c *call) error {
	_, missing := c.manager.Overview(ctx, c.subject())
	if err := c.admin().Delete(ctx, c.subject()); err != nil {
		return err
	}
	if errors.Is(missing, mfa.ErrRecordMissing) {
		return c.done("had no record, and is deleted")
	}
	return c.done("is deleted")
}

type accessOptions struct {
	valid time.Duration
	any   bool
}

func accessFlags(f *flag.FlagSet, c *call) {
	f.DurationVar(&c.access.valid, "valid", time.Hour, "how long the code is valid")
	f.BoolVar(&c.access.any, "any", false, "let the code be used any number of times")
}

// params are what the factor is asked for.
func (o accessOptions) params() map[string]secret.Text {
	params := map[string]secret.Text{"valid": secret.New(o.valid.String())}
	if o.any {
		params["uses"] = secret.New("any")
	}
	return params
}

// refuseAccess refuses a lifetime that no code can have.
func refuseAccess(c *call) error {
	f, err := access.New(access.Config{})
	if err != nil {
		return err
	}
	_, err = f.Enroll(context.Background(), factor.EnrollInput{Params: c.access.params()})
	if problem := (*factor.Problem)(nil); errors.As(err, &problem) {
		return fmt.Errorf("-valid %s: %s; %w", c.access.valid, problem.Detail, errUsage)
	}
	return err
}

func accessCode(ctx context.Context, c *call) error {
	e, err := c.admin().Enroll(ctx, c.subject(), mfa.EnrollRequest{Kind: "access",
		Params: c.access.params()})
	if err != nil {
		return err
	}
	code, ends := e.Prompt.Codes[0].Reveal(), e.Expires
	if c.json {
		return writeJSON(c, map[string]any{"id": c.args[0], "tenant": c.tenant, "code": code,
			"expires": ends})
	}
	_, err = fmt.Fprintf(c.out, "%s\n\nFor %s, valid until %s. It is shown this once.\n", code,
		c.args[0], ends.Format(time.RFC3339))
	return err
}
