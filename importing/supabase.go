package importing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Supabase reads what this statement writes of a database of Supabase Auth, one user on a line:
//
//	select json_build_object('id', u.id, 'email', u.email, 'factors', json_agg(f))
//	from auth.users u join auth.mfa_factors f on f.user_id = u.id group by u.id;
//
// The keys are those of GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS, for secrets that are
// encrypted. The ID of a user is Supabase's, and the account is the address. It takes verified
// authenticator apps, phone numbers and passkeys. Supabase has no recovery codes.
func Supabase(r io.Reader, keys ...secret.Text) Users {
	return each(r, "Supabase Auth", func(s supabaseUser) (User, error) { return s.user(keys) })
}

type supabaseUser struct {
	ID, Email string
	Factors   []struct {
		ID         string          `json:"id"`
		Name       string          `json:"friendly_name"`
		Type       string          `json:"factor_type"`
		Status     string          `json:"status"`
		Secret     string          `json:"secret"`
		Phone      string          `json:"phone"`
		Credential json.RawMessage `json:"web_authn_credential"`
	}
}

func (s supabaseUser) user(keys []secret.Text) (User, error) {
	u := User{User: mfa.User{ID: s.ID, Account: s.Email}}
	for _, f := range s.Factors {
		switch {
		case f.Status != "verified":
			u.NotMoved = append(u.NotMoved, "a factor that the user has not verified")
		case f.Type == "totp":
			key, err := supabaseSecret(f.Secret, f.ID, keys)
			if err != nil {
				return u, err
			}
			u.add("totp", f.Name, map[string]string{"secret": key})
		case f.Type == "phone":
			u.add("sms", f.Name, map[string]string{"number": international(f.Phone)})
		case f.Type == "webauthn":
			u.add("passkey", f.Name, map[string]string{
				"credential":  withoutAttestation(f.Credential),
				"user_handle": base64.RawURLEncoding.EncodeToString([]byte(s.ID))})
		default:
			u.NotMoved = append(u.NotMoved, "a factor of an unknown kind")
		}
	}
	return u, nil
}

// withoutAttestation returns a credential without what its device once said of itself, which may be
// long.
func withoutAttestation(credential json.RawMessage) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(credential, &members) != nil {
		return string(credential)
	}
	delete(members, "attestation")
	short, _ := json.Marshal(members) // what was just read: cannot fail
	return string(short)
}

// international returns a number with its plus sign, which Supabase leaves out.
func international(number string) string {
	if number == "" || strings.HasPrefix(number, "+") {
		return number
	}
	return "+" + number
}

// supabaseSecret decrypts a secret, unless it is plain. The key for each factor is derived from its
// ID.
func supabaseSecret(kept, factorID string, keys []secret.Text) (string, error) {
	if !strings.HasPrefix(kept, "{") {
		return kept, nil
	}
	var sealed struct{ Data, Nonce []byte }
	if json.Unmarshal([]byte(kept), &sealed) != nil || len(sealed.Nonce) != 12 {
		return "", errKeys
	}
	for _, k := range keys {
		master, err := base64.RawURLEncoding.DecodeString(k.Reveal())
		if err != nil {
			continue
		}
		key, err := hkdf.Key(sha256.New, master, nil, factorID, 32)
		if err != nil {
			continue
		}
		plain, err := openGCM(key, sealed.Nonce, sealed.Data)
		if err == nil {
			return string(plain), nil
		}
	}
	return "", errKeys
}

// openGCM decrypts with AES in Galois/counter mode.
func openGCM(key, nonce, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != gcm.NonceSize() {
		return nil, errKeys
	}
	return gcm.Open(nil, nonce, data, nil)
}
