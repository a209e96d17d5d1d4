package importing

import (
	"fmt"
	"io"

	"github.com/secondgate/secondgate/mfa"
)

// Auth0 reads users in the form of Auth0's bulk imports, with mfa_factors: a JSON list, or one
// object on a line. Auth0 hands out the secrets in it on request alone. An export by the
// application leaves them out and lists the users with a second factor; each of these is an error.
//
// The ID of a user is user_id, and the account is the address or the user name. It takes
// authenticator apps, phone numbers and e-mail addresses. Auth0 keeps recovery codes to itself.
func Auth0(r io.Reader) Users { return each(r, "Auth0", auth0User.user) }

type auth0User struct {
	ID          string   `json:"user_id"`
	Email       string   `json:"email"`
	Username    string   `json:"username"`
	Multifactor []string `json:"multifactor"`
	Factors     []struct {
		TOTP  *struct{ Secret string }
		Phone *struct{ Value string }
		Email *struct{ Value string }
	} `json:"mfa_factors"`
}

func (a auth0User) user() (User, error) {
	u := User{User: mfa.User{ID: a.ID, Account: a.Email}}
	if u.Account == "" {
		u.Account = a.Username
	}
	for _, f := range a.Factors {
		switch {
		case f.TOTP != nil:
			u.add("totp", "", map[string]string{"secret": f.TOTP.Secret})
		case f.Phone != nil:
			u.add("sms", "", map[string]string{"number": f.Phone.Value})
		case f.Email != nil:
			u.add("email", "", map[string]string{"address": f.Email.Value})
		default:
			u.NotMoved = append(u.NotMoved, "a factor of a kind that Auth0 does not document")
		}
	}
	if len(a.Factors) == 0 && len(a.Multifactor) > 0 {
		return u, fmt.Errorf("%w: it says that the user has a second factor, without its secret",
			errExport)
	}
	return u, nil
}
