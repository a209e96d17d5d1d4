package importing

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// Kratos reads identities of Ory Kratos with their credentials, as the administrative API returns
// them: a JSON list, or one identity on a line.
//
//	GET /admin/identities?include_credential=totp&include_credential=lookup_secret&
//	    include_credential=webauthn&include_credential=passkey
//
// The ID of a user is Kratos's, and the account is the first address. It takes authenticator apps,
// lookup secrets that were not used, security keys and passkeys.
func Kratos(r io.Reader) Users { return each(r, "Ory Kratos", kratosIdentity.user) }

type kratosIdentity struct {
	ID        string
	Addresses []struct{ Value string } `json:"verifiable_addresses"`
	// Credentials are by their type.
	Credentials map[string]struct {
		Config struct {
			TOTP  string `json:"totp_url"`
			Codes []struct {
				Code string
				Used string `json:"used_at"`
			} `json:"recovery_codes"`
			Keys   []kratosKey `json:"credentials"`
			Handle []byte      `json:"user_handle"`
		}
	}
}

type kratosKey struct {
	ID            []byte
	PublicKey     []byte `json:"public_key"`
	Name          string `json:"display_name"`
	Transport     []string
	Authenticator struct {
		AAGUID []byte
		Count  uint32 `json:"sign_count"`
	}
	Flags *struct {
		Verified bool `json:"user_verified"`
		Eligible bool `json:"backup_eligible"`
		BackedUp bool `json:"backup_state"`
	}
}

func (k kratosIdentity) user() (User, error) {
	u := User{User: mfa.User{ID: k.ID}}
	if len(k.Addresses) > 0 {
		u.Account = k.Addresses[0].Value
	}
	if app, ok := k.Credentials["totp"]; ok {
		if app.Config.TOTP == "" {
			return u, fmt.Errorf("%w: it was made without include_credential=totp", errExport)
		}
		u.add("totp", "", map[string]string{"uri": app.Config.TOTP})
	}
	for _, kind := range []string{"lookup_secret", "webauthn", "passkey"} {
		c, ok := k.Credentials[kind]
		if ok && len(c.Config.Codes)+len(c.Config.Keys) == 0 {
			return u, fmt.Errorf("%w: it was made without include_credential=%s", errExport, kind)
		}
	}
	var codes []string
	for _, c := range k.Credentials["lookup_secret"].Config.Codes {
		if c.Used == "" || strings.HasPrefix(c.Used, "0001-") {
			codes = append(codes, c.Code)
		}
	}
	if len(codes) > 0 {
		u.add("recovery", "", map[string]string{"codes": strings.Join(codes, "\n")})
	}
	for _, kind := range []string{"webauthn", "passkey"} {
		c := k.Credentials[kind].Config
		for _, key := range c.Keys {
			u.addKratosKey(key, c.Handle)
		}
	}
	return u, nil
}

// addKratosKey adds a passkey in the form of go-webauthn, which Kratos stores under other names.
func (u *User) addKratosKey(key kratosKey, handle []byte) {
	if key.Flags == nil {
		u.NotMoved = append(u.NotMoved, fmt.Sprintf(
			"the passkey %q, of which Kratos has kept no flags", key.Name))
		return
	}
	credential, _ := json.Marshal(map[string]any{"id": key.ID, "publicKey": key.PublicKey,
		"transport": key.Transport,
		"flags": map[string]bool{"userVerified": key.Flags.Verified,
			"backupEligible": key.Flags.Eligible, "backupState": key.Flags.BackedUp},
		"authenticator": map[string]any{"AAGUID": key.Authenticator.AAGUID,
			"signCount": key.Authenticator.Count}}) // plain data: cannot fail
	u.add("passkey", key.Name, map[string]string{"credential": string(credential),
		"user_handle": base64.RawURLEncoding.EncodeToString(handle)})
}
