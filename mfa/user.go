package mfa

import (
	"fmt"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

func (s User) check() error {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"ID", s.ID, 128}, {"Tenant", s.Tenant, 64}, {"UserType", s.UserType, 64}, {"Account",
			s.Account, 128},
		{"Email", s.Email, 254}, {"Phone", s.Phone, 32}, {"Locale", s.Locale, 35},
		{"TimeZone", s.TimeZone, 64},
	} {
		if len(f.value) > f.max || !utf8.ValidString(f.value) {
			return fmt.Errorf("%w: User.%s must be at most %d bytes of UTF-8", factor.ErrMalformed,
				f.name, f.max)
		}
	}
	if s.ID == "" {
		return fmt.Errorf("%w: User.ID is empty", factor.ErrMalformed)
	}
	return nil
}

func (s User) scope() policy.Scope { return s.compact().Scope() }

func (s User) compact() token.Subject {
	return token.Subject{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Account: s.Account,
		Email: s.Email, Confirmed: s.EmailVerified, Phone: s.Phone, Locale: s.Locale,
		TimeZone: s.TimeZone}
}

// User is a user as the application knows them when it calls. secondgate stores nothing of it
// but what a factor needs.
type User struct {
	// ID is stable, unique within Tenant and never reused: 1 to 128 bytes of UTF-8.
	ID string
	// Tenant and UserType choose the policy; both may be empty, and have at most 64 bytes.
	Tenant   string
	UserType string
	// Account is the user's name in an authenticator app. Defaults to Email, or to ID without
	// one. Where one address has two accounts, Account distinguishes them.
	Account string
	// Email is the user's address of record. EmailVerified says that the application has
	// verified it; only then can it be an implied factor.
	Email         string
	EmailVerified bool
	// Phone is the user's number of record in E.164 form. It is used to notify only.
	Phone string
	// Locale is a BCP 47 tag for messages, such as "nl". If it is empty, a code is in the language
	// of the page that asks for it, and other messages are in English.
	Locale string
	// TimeZone is the IANA name of the user's time zone for messages, such as "Europe/Oslo"; empty
	// means UTC.
	TimeZone string
	// Enrolled says that, as far as the application knows, the user has enrolled. If the store
	// then holds no record, Begin returns ErrRecordMissing, and the user does not sign in.
	Enrolled bool
}
