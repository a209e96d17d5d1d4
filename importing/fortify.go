package importing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Fortify reads users of Laravel Fortify (Jetstream, Breeze), a JSON list or one object on a line,
// with the columns id, email, two_factor_secret, two_factor_recovery_codes and
// two_factor_confirmed_at of the table users. Leave the last one out if the application does not
// let users confirm their app.
//
// The keys are APP_KEY as .env has it, and APP_PREVIOUS_KEYS. The ID of a user is the primary key
// as text, and the account is the address. It takes confirmed authenticator apps and the recovery
// codes.
func Fortify(r io.Reader, keys ...secret.Text) Users {
	return each(r, "Laravel Fortify", func(row fortifyUser) (User, error) { return row.user(keys) })
}

type fortifyUser struct {
	ID        json.RawMessage `json:"id"`
	Email     string          `json:"email"`
	Secret    string          `json:"two_factor_secret"`
	Codes     string          `json:"two_factor_recovery_codes"`
	Confirmed json.RawMessage `json:"two_factor_confirmed_at"`
}

func (f fortifyUser) user(keys []secret.Text) (User, error) {
	u := User{User: mfa.User{ID: key(f.ID), Account: f.Email}}
	switch {
	case f.Secret == "":
		return u, nil
	case string(f.Confirmed) == "null":
		u.NotMoved = append(u.NotMoved, "an app that the user has not confirmed")
		return u, nil
	}
	app, err := laravelText(f.Secret, keys)
	if err != nil {
		return u, err
	}
	u.add("totp", "", map[string]string{"secret": app})
	if f.Codes == "" {
		return u, nil
	}
	list, err := laravelText(f.Codes, keys)
	var codes []string
	if err != nil || json.Unmarshal([]byte(list), &codes) != nil {
		return u, errKeys
	}
	u.add("recovery", "", map[string]string{"codes": strings.Join(codes, "\n")})
	return u, nil
}

// laravelText decrypts what Laravel's encrypt has made of a text.
func laravelText(kept string, keys []secret.Text) (string, error) {
	payload, err := base64.StdEncoding.DecodeString(kept)
	var sealed struct {
		IV, Value, Tag []byte
		MAC            string
	}
	if err != nil || json.Unmarshal(payload, &sealed) != nil {
		return "", errKeys
	}
	for _, k := range keys {
		encoded, ok := strings.CutPrefix(k.Reveal(), "base64:")
		key := []byte(encoded)
		if ok {
			if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				continue
			}
		}
		var plain []byte
		if len(sealed.Tag) > 0 {
			plain, err = openGCM(key, sealed.IV, append(sealed.Value, sealed.Tag...))
		} else {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(base64.StdEncoding.EncodeToString(sealed.IV)))
			h.Write([]byte(base64.StdEncoding.EncodeToString(sealed.Value)))
			plain, err = openCBC(key, sealed.IV, sealed.Value, sealed.MAC, h.Sum(nil))
		}
		if err == nil {
			return phpString(string(plain))
		}
	}
	return "", errKeys
}

// openCBC decrypts with AES in cipher block chaining mode, if mac is the text of want.
func openCBC(key, iv, data []byte, mac string, want []byte) ([]byte, error) {
	got, err := hex.DecodeString(mac)
	if err != nil || !hmac.Equal(got, want) {
		return nil, errKeys
	}
	block, err := aes.NewCipher(key)
	if err != nil || len(iv) != aes.BlockSize || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errKeys
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errKeys
	}
	return plain[:len(plain)-padding], nil
}

// phpString reads a text that PHP has serialized: its length in bytes, and the text.
func phpString(serialized string) (string, error) {
	rest, ok := strings.CutPrefix(serialized, "s:")
	length, text, cut := strings.Cut(rest, `:"`)
	n, err := strconv.Atoi(length)
	if !ok || !cut || err != nil || n < 0 || len(text) != n+2 || text[n:] != `";` {
		return "", errKeys
	}
	return text[:n], nil
}
