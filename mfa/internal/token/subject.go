package token

import (
	"strconv"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Subject is Subject in a token.
type Subject struct {
	ID        string `cbor:"0,keyasint"`
	Tenant    string `cbor:"1,keyasint,omitempty"`
	UserType  string `cbor:"2,keyasint,omitempty"`
	Account   string `cbor:"3,keyasint,omitempty"`
	Email     string `cbor:"4,keyasint,omitempty"`
	Confirmed bool   `cbor:"5,keyasint,omitempty"`
	Phone     string `cbor:"6,keyasint,omitempty"`
	Locale    string `cbor:"7,keyasint,omitempty"`
	TimeZone  string `cbor:"8,keyasint,omitempty"`
}

// Scope returns what chooses the policy of the subject.
func (s Subject) Scope() policy.Scope {
	return policy.Scope{Tenant: s.Tenant, UserType: s.UserType}
}

// Key is where the user's record is. The length keeps "a/b"+"c" and "a"+"b/c" apart.
func (s Subject) Key() string {
	return "p/" + strconv.Itoa(len(s.Tenant)) + "/" + s.Tenant + "/" + s.ID
}

// FactorUser returns the subject as factors are given it.
func (s Subject) FactorUser() factor.User {
	p := factor.User{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Account: s.Account,
		Email: s.Email, Phone: s.Phone, Locale: s.Locale,
		TimeZone: s.TimeZone}
	if p.Account == "" {
		p.Account = s.Email
	}
	if p.Account == "" {
		p.Account = s.ID
	}
	return p
}
