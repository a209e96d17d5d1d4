package sso

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// tenantID is where an issuer of Microsoft's names the organisation; its multi-tenant
// discovery documents have it literally in their "issuer".
const tenantID = "{tenantid}"

var (
	idForm     = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	acrForm    = regexp.MustCompile(`^[^\s]+$`)
	guidForm   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)
)

// personalAccounts is the "organisation" of all of Microsoft's personal accounts.
const personalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad"

// profile is what a provider's tokens say beyond OpenID Connect.
type profile uint8

const (
	plain profile = iota
	microsoft
	google
)

// Provider is one that users may sign on with. [Microsoft] and [Google] fill one in; any other
// OpenID Connect provider is written out, and needs the first five fields.
type Provider struct {
	// ID names the provider in URLs and records: 1 to 32 of a-z, 0-9 and hyphen. Links do
	// not depend on it, activations do.
	ID string
	// Name is shown to users: "Microsoft".
	Name string
	// Issuer is the provider's issuer, to the letter. For Microsoft it has {tenantid} where
	// the organisation's id is.
	Issuer string
	// ClientID and ClientSecret are this application's with the provider.
	ClientID     string
	ClientSecret secret.Text
	// Discovery is the URL under which /.well-known/openid-configuration is, where that is
	// not Issuer.
	Discovery string
	// Scopes are asked for beside "openid"; nil means "email".
	Scopes []string
	// Open lets users link accounts of organisations that no administrator has activated. False,
	// the zero value, requires an activation.
	Open bool
	// OwnAddress lets users link only an account whose address, verified by the provider, is
	// Subject.Email, and not just any account of theirs. Spellings of one address are equal: the
	// domain in any case and in letters or ASCII ("xn--"), and the part before the @ as the
	// provider says it, except for the case of ASCII letters. It has no part in signing in.
	OwnAddress bool
	// MFAMethods and MFAClasses are the values of amr and acr, any one of which shows that
	// the provider asked for a second factor; nil means the method "mfa" (RFC 8176) and no
	// class. What it is worth is for an activation to say: see Activation.AcceptMFA.
	MFAMethods, MFAClasses []string
	// MaxAge is how long ago the user may have signed in to the provider. The provider is asked
	// for it, and the token checked. Zero lets the provider decide, whose session may be weeks
	// old. The provider has to send the claim auth_time; otherwise every sign-on fails with
	// ErrConfig. Microsoft sends it as an optional claim of the application's registration.
	MaxAge time.Duration
	// ACRValues are the authentication context classes, any one of which the sign-on must have
	// reached, the most wanted first, such as "phr" of OpenID Connect EAP ACR Values 1.0. The
	// provider is asked for them, and the acr of the token is checked: another fails with
	// ErrIdentity, and none with ErrConfig. Nil lets the provider decide.
	ACRValues []string

	profile profile
}

// Microsoft is Microsoft Entra ID, for the work and school accounts of all organisations
// that an administrator has activated. An organisation is known by its tenant ID.
//
// To admit one organisation only, and to be independent of Microsoft's multi-tenant
// endpoint, replace {tenantid} in Issuer by its tenant ID and clear Discovery.
func Microsoft(clientID string, clientSecret secret.Text) Provider {
	return Provider{
		ID: "microsoft", Name: "Microsoft",
		Issuer:    "https://login.microsoftonline.com/" + tenantID + "/v2.0",
		Discovery: "https://login.microsoftonline.com/organizations/v2.0",
		ClientID:  clientID, ClientSecret: clientSecret,
		Scopes:  []string{"profile", "email"}, // "profile" brings oid
		profile: microsoft,
	}
}

// Google is for users whose address is a Google address: at Gmail, or in a domain that is a
// Google Workspace. It is open, and for the user's own address. With Open false it is for the
// workspaces that an administrator has activated, by their primary domain ("gmail.com" stands for
// Gmail).
func Google(clientID string, clientSecret secret.Text) Provider {
	return Provider{
		ID: "google", Name: "Google",
		Issuer:   "https://accounts.google.com",
		ClientID: clientID, ClientSecret: clientSecret,
		Open: true, OwnAddress: true,
		profile: google,
	}
}

// check returns p with its defaults.
func (p Provider) check() (Provider, error) {
	if !idForm.MatchString(p.ID) {
		return p, fmt.Errorf("ID %q is not 1 to 32 of a-z, 0-9 and hyphen", p.ID)
	}
	if p.Name == "" || p.ClientID == "" || p.ClientSecret.IsZero() {
		return p, fmt.Errorf("%s needs Name, ClientID and ClientSecret", p.ID)
	}
	if err := p.checkTenant(); err != nil {
		return p, err
	}
	if p.Discovery == "" {
		p.Discovery = p.Issuer
	}
	if err := p.checkURLs(); err != nil {
		return p, err
	}
	if p.MaxAge < 0 {
		return p, fmt.Errorf("%s: MaxAge is negative", p.ID)
	}
	if slices.ContainsFunc(p.ACRValues, func(s string) bool { return !acrForm.MatchString(s) }) {
		return p, fmt.Errorf("%s: ACRValues has a value that is empty or has a space", p.ID)
	}
	if p.Scopes == nil {
		p.Scopes = []string{"email"}
	}
	if p.MFAMethods == nil {
		p.MFAMethods = []string{"mfa"}
	}
	p.Scopes = append([]string{"openid"}, slices.DeleteFunc(slices.Clone(p.Scopes),
		func(s string) bool {
			return s == "openid"
		})...)
	p.MFAMethods, p.MFAClasses = slices.Clone(p.MFAMethods), slices.Clone(p.MFAClasses)
	p.ACRValues = slices.Clone(p.ACRValues)
	return p, nil
}

// checkTenant decides whether the profile of Microsoft and the issuer go together, and refuses
// what Microsoft does not vouch for.
func (p Provider) checkTenant() error {
	manyTenants := strings.Contains(p.Issuer, tenantID)
	if manyTenants && (p.profile != microsoft || p.Discovery == "") {
		return fmt.Errorf("%s has %s in its Issuer, which only sso.Microsoft understands, "+
			"with Discovery set", p.ID, tenantID)
	}
	if p.profile != microsoft {
		return nil
	}
	switch {
	case !manyTenants && organizationIn(p.Issuer) == "":
		return fmt.Errorf("%s: Issuer %q names no tenant ID; give the organisation's GUID, "+
			"or keep %s", p.ID, p.Issuer, tenantID)
	case p.Open && manyTenants:
		// An attacker can set up an organisation and name its users at will.
		return fmt.Errorf("%s is Open to every organisation there is; activate those that you know",
			p.ID)
	case p.OwnAddress:
		// A tenant's administrator writes any address into an account.
		return fmt.Errorf("%s vouches for no address; clear OwnAddress", p.ID)
	}
	return nil
}

func (p Provider) checkURLs() error {
	issuer := strings.ReplaceAll(p.Issuer, tenantID, "x")
	for _, field := range [][2]string{{"Issuer", issuer}, {"Discovery", p.Discovery}} {
		name, raw := field[0], field[1]
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("%s: %s %q is not a URL such as https://login.example",
				p.ID, name, raw)
		}
		if err := checkScheme(u); err != nil {
			return fmt.Errorf("%s: %s: %w", p.ID, name, err)
		}
	}
	return nil
}

// organizationIn returns the tenant ID in a Microsoft issuer.
func organizationIn(issuer string) string {
	for part := range strings.SplitSeq(issuer, "/") {
		if guidForm.MatchString(part) {
			return part
		}
	}
	return ""
}

// checkOrganization returns how an organisation is written that an administrator names.
func (p Provider) checkOrganization(org string) (string, error) {
	org = strings.ToLower(strings.TrimSpace(org))
	switch p.profile {
	case microsoft:
		if !guidForm.MatchString(org) {
			return "", fmt.Errorf("%w: an organisation of %s is its tenant ID, such as "+
				"72f988bf-86f1-41af-91ab-2d7cd011db47", factor.ErrMalformed, p.Name)
		}
		if org == personalAccounts {
			return "", fmt.Errorf("%w: this tenant ID stands for all personal accounts of the "+
				"world, which are no organisation", factor.ErrMalformed)
		}
	case google:
		if len(org) > 253 || !domainForm.MatchString(org) {
			return "", fmt.Errorf("%w: an organisation of %s is its primary domain, such as "+
				"example.com", factor.ErrMalformed, p.Name)
		}
	default:
		if org != "" {
			return "", fmt.Errorf("%w: %s has no organisations; leave Organization empty",
				factor.ErrMalformed, p.Name)
		}
	}
	return org, nil
}
