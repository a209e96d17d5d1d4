package importing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/secondgate/secondgate/mfa"
)

// JSONLines reads the format of this package, one JSON object for each user:
//
//	{"id": "ann", "tenant": "", "account": "ann@example.com", "factors": [
//	  {"kind": "totp", "name": "Phone", "params": {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}},
//	  {"kind": "recovery", "params": {"hashes": "$2y$10$…\n$2y$10$…", "form": "xxxxx-xxxxx"}}]}
//
// The parameters are those that the kind documents for an import. "user_type", "email", "phone" and
// "locale" may be there, too. An unknown field is an error, as it may be a misspelt one.
func JSONLines(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		in := json.NewDecoder(r)
		in.DisallowUnknownFields()
		for n := 1; ; n++ {
			var line jsonUser
			err := in.Decode(&line)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil { // the decoder's error may quote what it read
				yield(User{}, fmt.Errorf("%w: user %d is not the JSON object that is documented",
					errExport, n))
				return
			}
			if !yield(line.user(), nil) {
				return
			}
		}
	}
}

type jsonUser struct {
	ID       string       `json:"id"`
	Tenant   string       `json:"tenant"`
	UserType string       `json:"user_type"`
	Account  string       `json:"account"`
	Email    string       `json:"email"`
	Phone    string       `json:"phone"`
	Locale   string       `json:"locale"`
	Factors  []jsonFactor `json:"factors"`
}

type jsonFactor struct {
	Kind   string            `json:"kind"`
	Name   string            `json:"name"`
	Params map[string]string `json:"params"`
}

func (line jsonUser) user() User {
	u := User{User: mfa.User{ID: line.ID, Tenant: line.Tenant, UserType: line.UserType,
		Account: line.Account, Email: line.Email, Phone: line.Phone, Locale: line.Locale}}
	for _, f := range line.Factors {
		u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: f.Kind, Name: f.Name,
			Params: texts(f.Params)})
	}
	return u
}
