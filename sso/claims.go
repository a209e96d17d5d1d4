package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/secondgate/secondgate/internal/done"
)

// claims are what we read of an ID token.
type claims struct {
	issuer, subject, nonce, azp string
	audience                    []string
	issued, expires, authTime   int64
	tenant, object              string // Microsoft: tid, oid
	hosted                      string // Google: hd
	email, username             string
	verified                    bool
	acr                         string
	amr                         []string
	// odd are the names of claims whose form is not the standard's, and that were left out.
	odd []string
}

// required are the claims that every token has in the form of the standard. A claim that decides
// nothing for a provider must not break a sign-in: providers write addresses as lists and classes
// as numbers.
var required = []string{"iss", "sub", "nonce", "azp", "iat", "exp"}

// parse reads claims by their exact names. encoding/json would take "TID" for "tid" in a
// struct, and an organisation's administrator may add claims of other names to its tokens.
func (c *claims) parse(payload []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(payload, &all); err != nil {
		return errors.New("claims are no object")
	}
	*c = claims{}
	var errs []error
	for name, to := range map[string]*string{
		"iss": &c.issuer, "sub": &c.subject, "nonce": &c.nonce, "azp": &c.azp, "tid": &c.tenant,
		"oid": &c.object, "hd": &c.hosted, "email": &c.email, "preferred_username": &c.username,
		"acr": &c.acr,
	} {
		errs = append(errs, c.orOdd(name, parseText(all, name, to)))
	}
	for name, to := range map[string]*int64{
		"iat": &c.issued, "exp": &c.expires, "auth_time": &c.authTime,
	} {
		errs = append(errs, c.orOdd(name, parseTime(all, name, to)))
	}
	errs = append(errs, parseAudience(all, &c.audience))
	if raw, ok := all["amr"]; ok && json.Unmarshal(raw, &c.amr) != nil {
		c.amr = nil // some write one text; it then shows nothing
	}
	if raw, ok := all["email_verified"]; ok {
		// Some write "true"; anything else is no.
		c.verified = string(raw) == "true" || string(raw) == `"true"`
	}
	return errors.Join(errs...)
}

// orOdd returns the error of a claim that is required, and notes any other claim.
func (c *claims) orOdd(name string, err error) error {
	if err == nil || slices.Contains(required, name) {
		return err
	}
	c.odd = append(c.odd, name)
	return nil
}

func parseText(all map[string]json.RawMessage, name string, to *string) error {
	raw, ok := all[name]
	if !ok {
		return nil
	}
	var s string
	if (json.Unmarshal(raw, &s) != nil && !lenient(name, raw, &s)) || len(s) > maxClaim ||
		strings.ContainsRune(s, 0) {
		return fmt.Errorf("claim %s is no text of at most %d bytes", name, maxClaim)
	}
	*to = s
	return nil
}

const maxClaim = 1024

// lenient reads a class that is a number, and an address or a name that is a list of one. Of
// several addresses none is the user's.
func lenient(name string, raw json.RawMessage, to *string) bool {
	switch name {
	case "acr":
		var n json.Number
		if json.Unmarshal(raw, &n) != nil {
			return false
		}
		*to = n.String()
		return true
	case "email", "preferred_username":
		var list []string
		if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
			return false
		}
		*to = list[0]
		return true
	}
	return false
}

func parseTime(all map[string]json.RawMessage, name string, to *int64) error {
	raw, ok := all[name]
	if !ok {
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		raw = json.RawMessage(text) // some write a number in quotes
	}
	var n float64 // RFC 7519 section 2 allows fractions
	if err := json.Unmarshal(raw, &n); err != nil || n < 0 || n > 1<<40 {
		return fmt.Errorf("claim %s is no time", name)
	}
	*to = int64(n)
	return nil
}

// parseAudience reads one text or a list of texts (RFC 7519 section 4.1.3).
func parseAudience(all map[string]json.RawMessage, to *[]string) error {
	raw, ok := all["aud"]
	if !ok {
		return nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*to = []string{one}
		return nil
	}
	if json.Unmarshal(raw, to) != nil {
		return errors.New("claim aud is neither text nor a list of it")
	}
	return nil
}

// identity is what a provider says about a user, after everything was checked.
type identity struct {
	// issuer and subject are for ever; nothing else is a key to anything.
	issuer, subject string
	organization    string
	account         string // to show
	address         string // verified, or ""
	secondFactor    bool
	amr             []string
	acr             string
	authTime        time.Time
}

// identify checks a token of the provider's, given for a flow.
func (p *provider) identify(
	ctx context.Context, e *endpoints, token string, f *flow, now time.Time,
) (*identity, error) {
	payload, err := e.keys.payload(ctx, token, now)
	switch {
	case err != nil && (errors.Is(err, errKeys) || done.Err(ctx) != nil):
		return nil, unavailable(err)
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrIdentity, brief(err))
	}
	var c claims
	if err := c.parse(payload); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	issuer, err := p.checkIssuer(&c)
	if err == nil {
		err = p.checkToken(ctx, token, payload, &c, now)
	}
	if err == nil {
		err = p.checkFlow(&c, f, now)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	return p.identity(issuer, &c)
}

// identity decides what checked claims say of the user.
func (p *provider) identity(issuer string, c *claims) (*identity, error) {
	id := &identity{
		issuer: issuer, subject: c.subject, account: c.account(), acr: c.acr, amr: c.amr,
		secondFactor: p.showsSecondFactor(c),
	}
	if c.verified {
		id.address = c.email
	}
	if c.authTime > 0 {
		id.authTime = time.Unix(c.authTime, 0).UTC()
	}
	switch p.profile {
	case microsoft:
		return id, id.ofMicrosoft(c)
	case google:
		return id, id.ofGoogle(c)
	}
	return id, nil
}

// showsSecondFactor reports whether the provider says that it asked for a second factor.
func (p *provider) showsSecondFactor(c *claims) bool {
	if c.acr != "" && slices.Contains(p.MFAClasses, c.acr) {
		return true
	}
	return slices.ContainsFunc(c.amr, func(m string) bool {
		return m != "" && slices.Contains(p.MFAMethods, m)
	})
}

// checkIssuer returns the token's issuer as links are kept under it.
func (p *provider) checkIssuer(c *claims) (string, error) {
	want := p.Issuer
	if strings.Contains(want, tenantID) {
		// Without the form, a tid could bring along the rest of some other issuer.
		if !guidForm.MatchString(c.tenant) {
			return "", errors.New("tid is no tenant ID")
		}
		want = strings.ReplaceAll(want, tenantID, c.tenant)
	}
	// Google leaves out the scheme at times
	if c.issuer != want && !(p.profile == google && "https://"+c.issuer == want) {
		return "", fmt.Errorf("the issuer is %.100q, want %q", c.issuer, want)
	}
	return want, nil
}

// checkToken has go-oidc check what it checks in every token; the signature has been.
func (p *provider) checkToken(
	ctx context.Context, token string, payload []byte, c *claims, now time.Time,
) error {
	v := oidc.NewVerifier(p.Issuer, verified(payload), &oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: algorithms,
		SkipIssuerCheck: true, // checkIssuer did it
		Now:             func() time.Time { return now },
	})
	if _, err := v.Verify(ctx, token); err != nil {
		return errors.New(brief(err))
	}
	// Again, by exact names: see parse.
	if !slices.Contains(c.audience, p.ClientID) {
		return errors.New("the token is for another application")
	}
	if c.azp != "" && c.azp != p.ClientID || c.azp == "" && len(c.audience) > 1 {
		return errors.New("the token was made for another application")
	}
	if c.subject == "" || len(c.subject) > 255 { // OpenID Connect Core section 2
		return errors.New("sub must have 1 to 255 bytes")
	}
	if strings.ContainsRune(c.subject, utf8.RuneError) {
		// JSON reads every half of a surrogate pair as this character: two users would be one.
		return errors.New("sub has a character that is none")
	}
	if c.expires <= now.Unix() {
		return errors.New("the token has expired")
	}
	if c.issued > now.Add(leeway).Unix() {
		return errors.New("the token is from the future")
	}
	return nil
}

// verified is a key set for a payload whose signature was checked.
type verified []byte

func (v verified) VerifySignature(context.Context, string) ([]byte, error) { return v, nil }

// checkFlow checks that the token was made for f.
func (p *provider) checkFlow(c *claims, f *flow, now time.Time) error {
	if subtle.ConstantTimeCompare([]byte(c.nonce), []byte(f.Nonce)) != 1 {
		return errors.New("the nonce is another one")
	}
	if c.issued < f.began().Add(-backdated-leeway).Unix() {
		return errors.New("the token was made before it was asked for")
	}
	if err := p.checkACR(c); err != nil || p.MaxAge == 0 {
		return err
	}
	if c.authTime == 0 {
		return configError("%s says in no auth_time when the user signed in, so that MaxAge "+
			"cannot be checked: have the provider add the claim, or clear MaxAge", p.ID)
	}
	if c.authTime < now.Add(-p.MaxAge-leeway).Unix() {
		return errors.New("the user signed in to the provider too long ago")
	}
	return nil
}

// checkACR checks that the sign-on reached one of the classes that the provider was asked for.
func (p *provider) checkACR(c *claims) error {
	switch {
	case len(p.ACRValues) == 0 || slices.Contains(p.ACRValues, c.acr):
		return nil
	case c.acr == "":
		return configError("%s says in no acr what the sign-on reached, so that ACRValues cannot "+
			"be checked: have the provider add the claim, or clear ACRValues", p.ID)
	default:
		return errors.New("the sign-on reached none of the classes that were asked for")
	}
}

// account is the name by which a user recognises the account. It is shown, and decides nothing.
func (c *claims) account() string {
	for _, s := range []string{c.email, c.username} {
		if s != "" && len(s) <= 254 && utf8.ValidString(s) {
			return s
		}
	}
	return ""
}

// ofMicrosoft identifies a user by tid and oid. sub differs in each application registration, and
// the organisation's administrator can change everything else.
func (id *identity) ofMicrosoft(c *claims) error {
	org := organizationIn(id.issuer)
	if c.tenant != org {
		return fmt.Errorf("%w: tid is not the issuer's", ErrIdentity)
	}
	if !guidForm.MatchString(c.object) {
		return fmt.Errorf("%w: oid is no object ID; ask for the scope profile", ErrIdentity)
	}
	id.subject, id.organization, id.address = "oid:"+c.object, org, ""
	return nil
}

// ofGoogle accepts an address only if it belongs to Gmail or to a workspace, hd. A Google account
// can also have another provider's address, which was verified once and may have another owner
// since.
func (id *identity) ofGoogle(c *claims) error {
	_, domain, ok := strings.Cut(strings.ToLower(id.address), "@")
	switch {
	case slices.Contains(c.odd, "hd"):
		return fmt.Errorf("%w: hd is no domain", ErrIdentity)
	case !ok:
		return fmt.Errorf("%w: it is not verified", ErrAddress)
	case c.hosted != "":
		id.organization = strings.ToLower(c.hosted)
	case domain == "gmail.com" || domain == "googlemail.com":
		id.organization = "gmail.com"
	default:
		return fmt.Errorf("%w: Google does not speak for it", ErrAddress)
	}
	return nil
}
