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
// Several files may follow each other.
func Keycloak(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		from := newBounded(r)
		realms := keycloakRealms{in: from.decoder(), yield: yield}
		err := realms.read()
		for err == nil && !realms.stopped && next(realms.in) != 0 {
			err = realms.read()
		}
		switch {
		case realms.stopped:
			return
		case err == nil && !realms.hasUsers:
			err = errNoRealm
		}
		if err := from.why(err); err != nil {
			yield(User{}, err)
		}
	}
}

var errNoRealm = fmt.Errorf("%w: it is no export of one realm with its users, or it is cut off",
	errExport)

var errNoUser = fmt.Errorf("%w: a user is not as Keycloak writes it", errExport)

// keycloakRealms reads realms, or parts of one, that follow each other.
type keycloakRealms struct {
	in    *json.Decoder
	yield func(User, error) bool
	// hasUsers says that one of them had a list of users.
	hasUsers bool
	// stopped says that the caller wants no more.
	stopped bool
}

// read reads one realm. The list of users may be anywhere between the rest of its configuration.
func (k *keycloakRealms) read() error {
	if t, err := k.in.Token(); err != nil || t != json.Delim('{') {
		return errNoRealm
	}
	for k.in.More() {
		name, err := k.in.Token()
		if err != nil {
			return errNoRealm
		}
		if name == "users" {
			err = k.users()
		} else if skip(k.in) != nil {
			err = errNoRealm
		}
		if err != nil || k.stopped {
			return err
		}
	}
	return k.closes()
}

// closes reads the end of a list or of a realm, which a file that is cut off does not have.
func (k *keycloakRealms) closes() error {
	if _, err := k.in.Token(); err != nil {
		return errNoRealm
	}
	return nil
}

// users yields the users of a list.
func (k *keycloakRealms) users() error {
	if t, err := k.in.Token(); err != nil || t != json.Delim('[') {
		return errNoRealm
	}
	k.hasUsers = true
	for k.in.More() {
		var from keycloakUser
		if err := k.in.Decode(&from); err != nil {
			return errNoUser
		}
		u, err := from.user()
		if err == nil && u.ID == "" {
			return errNoUser
		}
		if (err != nil || len(u.Factors)+len(u.NotMoved) > 0) && !k.yield(u, err) {
			k.stopped = true
			return nil
		}
	}
	return k.closes()
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
		case "password", "password-history": // no second factor
		case "webauthn", "webauthn-passwordless":
			u.NotMoved = append(u.NotMoved, fmt.Sprintf("the passkey %q", c.UserLabel))
		default:
			u.NotMoved = append(u.NotMoved, fmt.Sprintf("a credential of the type %q", c.Type))
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
