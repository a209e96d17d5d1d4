// Package migrating imports the second factors that users have in another system: in columns of
// a users table, as code on github.com/pquerna/otp and github.com/volatiletech/authboss keep them.
// docs/importing.md goes through it.
package migrating

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Old is what the other system keeps of one user.
type Old struct {
	// ID and Tenant are those that Config.User of secondgate returns.
	ID, Tenant string
	// Account is the name in the authenticator app. The app keeps the one that it has.
	Account string
	// Secret is the base32 secret, or the otpauth URL, of the user's authenticator app.
	Secret string
	// RecoveryCodes are bcrypt hashes, separated by commas, as authboss keeps them.
	RecoveryCodes string
}

// Import enrols what a user had in the other system. It changes no record that exists, so that an
// import may be repeated. After an error nothing of the user is imported.
func Import(ctx context.Context, m *mfa.Manager, old Old, now time.Time) error {
	user := mfa.User{ID: old.ID, Tenant: old.Tenant, Account: old.Account}
	s := m.Session(user, "import").ManageFactors().FirstFactorAt(now)
	begun, err := s.Begin(ctx)
	if err != nil || begun.Next != mfa.NextEnroll {
		return err
	}
	err = importApp(ctx, s, begun.Grant, old.Secret, now)
	if err == nil && old.RecoveryCodes != "" {
		_, err = importer(m).Enroll(ctx, user, mfa.EnrollRequest{Kind: kind,
			Params: map[string]secret.Text{"hashes": secret.New(old.RecoveryCodes)}})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("user %s: %w", old.ID, err), importer(m).Delete(ctx, user))
	}
	return nil
}

// importApp enrols an app. The program has the secret, so that it confirms the enrolment itself.
func importApp(
	ctx context.Context, s mfa.Session, grant mfa.Grant, stored string, now time.Time,
) error {
	params, code, err := app(stored, now)
	if err != nil {
		return err
	}
	e, err := s.Enroll(ctx, grant, mfa.EnrollRequest{Kind: "totp", Params: params})
	if err != nil {
		return err
	}
	_, err = s.Confirm(ctx, e, secret.New(code))
	return err
}

// app returns the parameters of an enrolment, and the code that the user's app shows now.
func app(stored string, now time.Time) (map[string]secret.Text, string, error) {
	key, err := otp.NewKeyFromURL(stored)
	if err != nil {
		return nil, "", errors.New("the secret cannot be read") // and is in no error
	}
	if key.Type() != "totp" { // a secret alone
		code, err := totp.GenerateCode(stored, now)
		return map[string]secret.Text{"secret": secret.New(stored)}, code, err
	}
	params := map[string]secret.Text{"secret": secret.New(key.Secret()),
		"algorithm": secret.New(key.Algorithm().String()),
		"digits":    secret.New(key.Digits().String()),
		"period":    secret.New(strconv.FormatUint(key.Period(), 10))}
	code, err := totp.GenerateCodeCustom(key.Secret(), now, totp.ValidateOpts{
		Period: uint(key.Period()), Digits: key.Digits(), Algorithm: key.Algorithm()})
	return params, code, err
}

// importer acts for the program. Config.Authorize permits it in the import, and nowhere else.
func importer(m *mfa.Manager) mfa.Admin {
	return m.Admin(mfa.System("import"), "moved from the old system")
}
