package importing

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// Keycloak reads the export of a realm ("kc.sh export --users same_file", or one of the files of
// "different_files"). The ID of a user is Keycloak's, and the account is the user name. It takes
// authenticator apps with time-based codes and recovery codes. A user without either is left out.
func Keycloak(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		in := newDecoder(r)
		if err := toUsers(in); err != nil {
			yield(User{}, err)
			return
		}
		for in.More() {
			var k keycloakUser
			if err := in.Decode(&k); err != nil {
				yield(User{}, fmt.Errorf("%w: a user is not as Keycloak writes it", errExport))
				return
			}
			u, err := k.user()
			if (err != nil || len(u.Factors) > 0) && !yield(u, err) {
				return
			}
		}
	}
}

// toUsers reads up to the list of users, which may be after a realm's whole configuration.
func toUsers(in *json.Decoder) error {
	bad := fmt.Errorf("%w: it is no export of a realm with its users", errExport)
	if t, err := in.Token(); err != nil || t != json.Delim('{') {
		return bad
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return bad
		}
		if name == "users" {
			if t, err := in.Token(); err != nil || t != json.Delim('[') {
				return bad
			}
			return nil
		}
		var skipped json.RawMessage
		if err := in.Decode(&skipped); err != nil {
			return bad
		}
	}
	return bad
}

type keycloakUser struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	Email       string `json:"email"`
	Credentials []struct {
		Type           string `json:"type"`
		UserLabel      string `json:"userLabel"`
		SecretData     string `json:"secretData"`
		CredentialData string `json:"credentialData"`
	} `json:"credentials"`
}

func (k keycloakUser) user() (User, error) {
	u := User{User: mfa.User{ID: k.ID, Account: k.Username, Email: k.Email}}
	for _, c := range k.Credentials {
		var f *mfa.EnrollRequest
		var err error
		switch c.Type {
		case "otp":
			f, err = keycloakApp(c.SecretData, c.CredentialData)
		case "recovery-authn-codes":
			f, err = keycloakCodes(c.SecretData)
		}
		if err != nil {
			return u, err
		}
		if f != nil {
			f.Name = c.UserLabel
			u.Factors = append(u.Factors, *f)
		}
	}
	return u, nil
}

// keycloakApp returns an authenticator app. The text of the secret is the key itself, unless it is
// said to be base32.
func keycloakApp(secretData, credentialData string) (*mfa.EnrollRequest, error) {
	var key struct{ Value string }
	var made struct {
		SubType, Algorithm, SecretEncoding string
		Digits, Period                     int
	}
	if json.Unmarshal([]byte(secretData), &key) != nil ||
		json.Unmarshal([]byte(credentialData), &made) != nil {
		return nil, fmt.Errorf("%w: an app is not as Keycloak writes it", errExport)
	}
	if made.SubType != "totp" {
		return nil, fmt.Errorf("%w: an app counts codes (%s), and only time-based ones go on",
			errExport, strconv.Quote(made.SubType))
	}
	value := key.Value
	if made.SecretEncoding == "" {
		value = base32Of([]byte(value))
	}
	return &mfa.EnrollRequest{Kind: "totp", Params: texts(map[string]string{"secret": value,
		"algorithm": strings.TrimPrefix(made.Algorithm, "Hmac"),
		"digits":    strconv.Itoa(made.Digits), "period": strconv.Itoa(made.Period)})}, nil
}

// keycloakCodeLen is how many letters in upper case and digits a recovery code of Keycloak has.
const keycloakCodeLen = 12

// keycloakCodes returns recovery codes, of which there is the SHA-512.
func keycloakCodes(secretData string) (*mfa.EnrollRequest, error) {
	var kept struct {
		Codes []struct {
			Hash string `json:"encodedHashedValue"`
		}
	}
	if json.Unmarshal([]byte(secretData), &kept) != nil {
		return nil, fmt.Errorf("%w: recovery codes are not as Keycloak writes them", errExport)
	}
	hashes := make([]string, len(kept.Codes))
	for i, c := range kept.Codes {
		hashes[i] = c.Hash
	}
	if len(hashes) == 0 { // all are used
		return nil, nil
	}
	return &mfa.EnrollRequest{Kind: "recovery", Params: texts(map[string]string{
		"hashes": strings.Join(hashes, "\n"), "form": strings.Repeat("X", keycloakCodeLen)})}, nil
}
