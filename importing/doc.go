// Package importing moves users from another system: it reads what that system exports, and imports
// the second factors in it with [mfa.Admin.Import].
//
//	for result := range importing.Run(ctx, admin, importing.Keycloak(file), importing.Options{}) {
//		fmt.Println(result.User.ID, result.Outcome())
//	}
//
// A reader yields one [User] after the other, and reads no further than it is asked to. An error
// beside a user concerns that user, and the reader goes on; an error beside the zero User ends it.
// No error quotes a secret.
//
// Other exports become a reader by a function of the application, or are converted into the lines
// that [JSONLines] reads.
package importing

import (
	"encoding/base32"
	"errors"
	"iter"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// User is what an export has of one user.
type User struct {
	mfa.User
	Factors []mfa.EnrollRequest
	// NotMoved says in words what else the export has of the user: what was never confirmed, or
	// cannot be imported.
	NotMoved []string
}

// add adds a factor with the parameters that are not empty.
func (u *User) add(kind, name string, params map[string]string) {
	u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: kind, Name: name, Params: texts(params)})
}

// Users are the users of an export.
type Users = iter.Seq2[User, error]

// errExport is about an export as a whole.
var errExport = errors.New("importing: the export cannot be read")

// texts returns parameters that are not empty.
func texts(list map[string]string) map[string]secret.Text {
	params := make(map[string]secret.Text, len(list))
	for name, value := range list {
		if value != "" {
			params[name] = secret.New(value)
		}
	}
	return params
}

// base32Of returns the base32 text of a secret.
func base32Of(key []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
}
