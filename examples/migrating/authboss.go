package migrating

import (
	"github.com/volatiletech/authboss/v3/otp/twofactor/totp2fa"
)

// FromAuthboss returns what authboss keeps of a user, and false for a user without an
// authenticator app.
func FromAuthboss(u totp2fa.User) (Old, bool) {
	return Old{ID: u.GetPID(), Account: u.GetEmail(), Secret: u.GetTOTPSecretKey(),
		RecoveryCodes: u.GetRecoveryCodes()}, u.GetTOTPSecretKey() != ""
}
