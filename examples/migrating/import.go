// Package migrating imports the second factors that users have in another system: in columns of
// a users table, as code on github.com/pquerna/otp and github.com/volatiletech/authboss keep them.
// docs/importing.md goes through it.
package migrating

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
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

// Import gives a user what they had in the other system. It may be repeated, and after an error
// nothing of the user is imported.
func Import(ctx context.Context, m *mfa.Manager, old Old) (*report.Import, error) {
	user := mfa.User{ID: old.ID, Tenant: old.Tenant, Account: old.Account}
	done, err := importer(m).Import(ctx, user, old.factors())
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", old.ID, err)
	}
	return done, nil
}

// factors returns the parameters that the factors document for an import.
func (old Old) factors() []mfa.EnrollRequest {
	app := "secret"
	if strings.HasPrefix(old.Secret, "otpauth:") {
		app = "uri"
	}
	list := []mfa.EnrollRequest{{Kind: "totp", Params: map[string]secret.Text{
		app: secret.New(old.Secret)}}}
	if old.RecoveryCodes != "" {
		list = append(list, mfa.EnrollRequest{Kind: "recovery", Params: map[string]secret.Text{
			"hashes": secret.New(strings.ReplaceAll(old.RecoveryCodes, ",", "\n")),
			"form":   secret.New("xxxxx-xxxxx")}})
	}
	return list
}

// importer acts for the program. Config.Authorize permits it in the import, and nowhere else.
func importer(m *mfa.Manager) mfa.Admin {
	return m.Admin(mfa.System("import"), "moved from the old system")
}
