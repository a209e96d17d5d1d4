package admin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

// The kinds that the form of a policy treats by themselves. Recovery kinds are always allowed, so
// it does not offer them.
const (
	kindEmail   = "email"
	kindPasskey = "passkey"
)

// certifications and conveyances are what policy.Policy accepts as Certified and Attestation, in
// the order of the form.
var (
	certifications = []string{"L1", "L1+", "L2", "L2+", "L3", "L3+"}
	conveyances    = []string{"none", "indirect", "direct", "enterprise"}
)

var recoveryKinds = []string{"recovery", "questions", kindAccess}

type policiesPage struct {
	base
	Policies []typePolicy
	Modes    []policy.Mode
	// Mode is that of all user types, or "" where they differ.
	Mode policy.Mode
	Done bool
}

func pagePolicies(v *visit) error {
	set, err := v.policies()
	if err != nil {
		return err
	}
	p := policiesPage{base: v.base("policies"), Done: v.query.Has("done"), Modes: modes,
		Mode: set[v.h.cfg.UserTypes[0]].Mode}
	for _, t := range v.h.cfg.UserTypes {
		p.Policies = append(p.Policies, typePolicyOf(t, set[t]))
		if set[t].Mode != p.Mode {
			p.Mode = ""
		}
	}
	return v.show(http.StatusOK, "policies", "admin.policies", "", p)
}

// policyPage is the form of the policy of one user type, or of all.
type policyPage struct {
	base
	One, HasEmail, HasPasskey           bool
	Implicit, Passwordless, NoDowngrade bool
	DeviceBound, Hardware               bool
	Certified, Attestation              string
	Levels, Attestations                []string
	Type, EnrollBy, Problem             string
	Reason                              string
	Mode                                policy.Mode
	Modes                               []policy.Mode
	Kinds                               []allowedKind
	Remember                            []int
	Days                                int
	Waits, Skips                        []int
	Wait, Skip                          int
	Presets                             []preset
	Preset                              string
}

type allowedKind struct {
	Kind    string
	Allowed bool
}

func pagePolicy(v *visit) error {
	t, err := v.param("type", 64)
	if err != nil {
		return err
	}
	set, err := v.policies()
	if err != nil {
		return err
	}
	of := t
	if !v.query.Has("type") {
		of = v.h.cfg.UserTypes[0]
	}
	p, ok := set[of]
	if !ok {
		return ErrNoUser
	}
	f := v.kept(v.policyForm(t, v.query.Has("type")))
	if f != nil && v.fillIn(&p, f) != nil {
		p = set[of]
	}
	return v.showPolicy(p, t, v.query.Has("type"), "", trimmed(f, "reason", maxReason))
}

func (v *visit) showPolicy(
	p policyJSON, userType string, one bool, problem, reason string,
) error {
	kinds := v.h.cfg.Manager.Kinds()
	page := policyPage{base: v.base("policies"), One: one, Type: userType, Mode: p.Mode,
		Modes: modes, Presets: v.presets(), Preset: v.presetOf(p),
		HasEmail: slices.Contains(kinds, kindEmail), Days: daysOf(p), Problem: problem,
		HasPasskey: slices.Contains(kinds, kindPasskey), Passwordless: p.Passwordless,
		NoDowngrade: p.NoDowngrade, DeviceBound: p.DeviceBound, Hardware: p.Hardware,
		Certified: p.Certified, Attestation: p.Attestation,
		Levels: certifications, Attestations: conveyances,
		Implicit: slices.Contains(p.Implicit, kindEmail),
		Reason:   reason,
		Remember: offered(daysOf(p), 0, 7, 14, 30, 90), Wait: waitOf(p), Skip: p.EnrollSkips,
		Waits: offered(waitOf(p), 0, 3, 7, 14, 30), Skips: offered(p.EnrollSkips, 0, 1, 3, 5, 10)}
	v.keep(&page.base, v.policyForm(userType, one))
	if p.EnrollBy != nil {
		page.EnrollBy = p.EnrollBy.UTC().Format(time.DateOnly)
	}
	for _, k := range kinds {
		if !slices.Contains(recoveryKinds, k) {
			page.Kinds = append(page.Kinds, allowedKind{k, len(p.Kinds) == 0 ||
				slices.Contains(p.Kinds, k)})
		}
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	if !one || userType == "" {
		return v.show(status, "policy", "admin.policy-all", "", page)
	}
	return v.show(status, "policy", "admin.policy", page.TypeName(userType), page)
}

// proposed reads the form of a policy. What the form does not have stays as it is.
func (v *visit) proposed() (proposal, error) {
	f, err := v.form()
	if err != nil {
		return proposal{}, err
	}
	set, err := v.policies()
	if err != nil {
		return proposal{}, err
	}
	in := proposal{Reason: f.Get("reason"), Cursor: f.Get("cursor")}
	if f.Has("switch") {
		in.Mode = policy.Mode(f.Get("switch"))
		return in, nil
	}
	of := v.h.cfg.UserTypes[0]
	if f.Has("type") {
		of = f.Get("type")
		in.Types = []string{of}
	}
	p, ok := set[of]
	if !ok {
		return proposal{}, ErrNoUser
	}
	if err := v.fillIn(&p, f); err != nil {
		return proposal{}, err
	}
	in.Policy = &p
	return in, nil
}

// fillIn changes a policy to what the form has.
func (v *visit) fillIn(p *policyJSON, f url.Values) error {
	days, err := number(f, "remember", 90)
	if err != nil {
		return err
	}
	if err := errors.Join(v.combine(p, f), fillInTime(p, f)); err != nil {
		return err
	}
	if p.Default != "" && p.Kinds != nil && !slices.Contains(p.Kinds, p.Default) {
		p.Default = ""
	}
	p.KeepImplicit = p.KeepImplicit && len(p.Implicit) > 0
	p.Passwordless, p.NoDowngrade = f.Has("passwordless"), f.Has("no_downgrade")
	if f.Has("keys") { // else the form has no fields for them
		p.DeviceBound, p.Hardware = f.Has("device_bound"), f.Has("hardware")
		p.Certified, p.Attestation = f.Get("certified"), f.Get("attestation")
	}
	p.Remember = int64(days) * int64(day/time.Second)
	p.EnrollBy = nil
	if s := f.Get("enroll_by"); s != "" {
		by, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return malformed("the day is not one")
		}
		p.EnrollBy = &by
	}
	return nil
}

// hidden is a field that a form carries on.
type hidden struct{ Name, Value string }

// carried are the fields of a form that the next form has too.
func carried(f url.Values, names ...string) (list []hidden) {
	for _, name := range names {
		for _, value := range f[name] {
			list = append(list, hidden{name, value})
		}
	}
	return list
}

type previewPage struct {
	base
	// Policies are what would be set, in words.
	Policies []typePolicy
	// Lack is how many of the Users have no method and must set one up, and Barred how many must
	// because the policy allows none of those that they have.
	Users, Lack, Barred int
	Bars                []bar
	Hidden, Sums        []hidden
	Next                string
	// Reason and Problem are for the block "reason".
	Reason, Problem string
}

// pagePreview counts what a policy would change, with what the pages before have counted.
func pagePreview(v *visit) error {
	in, err := v.proposed()
	if err == nil {
		err = v.mayList()
	}
	if err != nil {
		return err
	}
	return v.showPreview(in, "")
}

func (v *visit) showPreview(in proposal, problem string) error {
	out, err := v.preview(in)
	if errors.Is(err, policy.ErrInvalid) && in.Policy != nil {
		return v.showPolicy(*in.Policy, v.r.PostForm.Get("type"), len(in.Types) > 0, "policy",
			in.Reason)
	}
	if err != nil {
		return err
	}
	p := previewPage{base: v.base("policies"), Next: out.Next, Reason: in.Reason, Problem: problem,
		Hidden: carried(v.r.PostForm, append([]string{"type", "switch"}, policyFields...)...)}
	if in.Policy != nil {
		v.keep(&p.base, v.policyForm(v.r.PostForm.Get("type"), len(in.Types) > 0))
	} else {
		v.keep(&p.base, v.formOn("policies", nil))
	}
	if p.Policies, err = v.proposedWords(in); err != nil {
		return err
	}
	users := out.Users + v.sum("sum-users")
	p.Users, p.Barred = users, out.Barred+v.sum("sum-barred")
	p.Lack = max(0, out.Enroll+v.sum("sum-enroll")-p.Barred)
	for _, b := range []bar{{Text: "users", Count: out.Users},
		{Text: "enroll", Count: out.Enroll, Bad: true}, {Text: "verify", Count: out.Verify},
		{Text: "done", Count: out.Done}, {Text: "failed", Count: out.Failed, Bad: true}} {
		b.Count += v.sum("sum-" + b.Text)
		if users > 0 {
			b.Percent = b.Count * 100 / users
		}
		p.Sums = append(p.Sums, hidden{"sum-" + b.Text, strconv.Itoa(b.Count)})
		p.Bars = append(p.Bars, b)
	}
	p.Sums = append(p.Sums, hidden{"sum-barred", strconv.Itoa(p.Barred)})
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return v.show(status, "preview", "admin.preview", "", p)
}

// sum is what the steps before have counted, as the form says. It is shown and decides nothing.
func (v *visit) sum(name string) int {
	n, err := strconv.Atoi(v.r.PostForm.Get(name))
	if err != nil || n < 0 || n > 1e9 {
		return 0
	}
	return n
}

// postPolicy sets the policy that the preview was about.
func postPolicy(v *visit) error {
	in, err := v.proposed()
	if err != nil {
		return err
	}
	err = v.setPolicies(in)
	switch {
	case errors.Is(err, errReason):
		return v.showPreview(in, "reason")
	case errors.Is(err, policy.ErrInvalid) && in.Policy != nil:
		return v.showPolicy(*in.Policy, v.r.PostForm.Get("type"), len(in.Types) > 0, "policy",
			in.Reason)
	}
	if err != nil {
		return err
	}
	b := v.base("")
	v.w.Header().Set("Location", b.Base+"policies?"+string(b.And())+"done=yes")
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

type auditPage struct {
	base
	// Language is that of the page. The findings are in English.
	Language string
	Profile  policy.Profile
	Profiles []namedProfile
	Findings []policy.Finding
}

type namedProfile struct {
	ID   policy.Profile
	Name string
}

// noProfile holds a configuration to no standard, and finds advice.
const noProfile policy.Profile = "default"

var profiles = []namedProfile{{noProfile, "secondgate"},
	{policy.ProfileNISTAAL2, "NIST SP 800-63B-4 AAL2"},
	{policy.ProfileNISTAAL3, "NIST SP 800-63B-4 AAL3"},
	{policy.ProfileASVSL2, "OWASP ASVS 5.0 L2"}, {policy.ProfileASVSL3, "OWASP ASVS 5.0 L3"},
	{policy.ProfilePCIDSS4, "PCI DSS 4.0.1, 8.4 and 8.5"}}

func pageAudit(v *visit) error {
	found, profile, err := v.findings()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "audit", "admin.audit", "", auditPage{v.base("audit"),
		v.h.cfg.Handler.Language(v.r), profile, profiles, found})
}
