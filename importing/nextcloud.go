package importing

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Nextcloud reads what this statement writes of a database of Nextcloud, one user on a line. On
// PostgreSQL it is json_build_object and json_agg. Older versions have no algorithm: leave it out.
//
//	select json_object('uid', t.user_id, 'secret', t.secret, 'state', t.state,
//	  'algorithm', t.algorithm, 'codes',
//	  (select json_arrayagg(json_object('code', c.code, 'used', c.used))
//	   from oc_twofactor_backupcodes c where c.user_id = t.user_id))
//	from oc_twofactor_totp_secrets t;
//
// The keys are the instance secret, which is "secret" in config.php, and perhaps older ones. The ID
// and the account of a user are the user's login name. It takes enabled authenticator apps and the
// backup codes that were not used.
func Nextcloud(r io.Reader, keys ...secret.Text) Users {
	return each(r, "Nextcloud", func(row nextcloudUser) (User, error) { return row.user(keys) })
}

type nextcloudUser struct {
	UID, Secret, Algorithm string
	State                  int
	Codes                  []struct {
		Code string
		Used *yes
	}
}

const (
	// nextcloudEnabled is the state of an app whose first code was correct.
	nextcloudEnabled = 2
	// nextcloudForm is how backup codes are written: 16 letters and digits in which case matters.
	nextcloudForm = "****************"
)

func (n nextcloudUser) user(keys []secret.Text) (User, error) {
	u := User{User: mfa.User{ID: n.UID, Account: n.UID}}
	if n.State != nextcloudEnabled {
		u.NotMoved = append(u.NotMoved, "an app that the user has not enabled")
		return u, nil
	}
	app, err := nextcloudText(n.Secret, keys)
	if err != nil {
		return u, err
	}
	u.add("totp", "", map[string]string{"secret": app, "algorithm": strings.ToUpper(n.Algorithm)})
	var hashes []string
	for _, c := range n.Codes {
		switch _, hash, ok := strings.Cut(c.Code, "|"); {
		case c.Used == nil: // a used code must not be valid again
			return u, fmt.Errorf("%w: it does not say which backup codes were used", errExport)
		case bool(*c.Used):
		case ok:
			hashes = append(hashes, hash)
		default:
			u.NotMoved = append(u.NotMoved, "a backup code that an old version has hashed")
		}
	}
	if len(hashes) > 0 {
		u.add("recovery", "", map[string]string{"hashes": strings.Join(hashes, "\n"),
			"form": nextcloudForm})
	}
	return u, nil
}

// nextcloudText decrypts what Nextcloud's ICrypto has made in version 2 or 3: ciphertext, IV, HMAC
// and version, in hexadecimal digits.
func nextcloudText(kept string, keys []secret.Text) (string, error) {
	parts := strings.Split(kept, "|")
	if len(parts) != 4 || parts[3] != "2" && parts[3] != "3" {
		return "", errKeys
	}
	for _, k := range keys {
		if text, err := nextcloudOpen(parts, k.Reveal()); err == nil {
			return text, nil
		}
	}
	return "", errKeys
}

func nextcloudOpen(parts []string, instance string) (string, error) {
	password, macPassword := instance, instance
	if parts[3] == "3" {
		material, err := hkdf.Key(sha512.New, []byte(instance), nil, "", sha512.Size)
		if err != nil {
			return "", errKeys
		}
		password, macPassword = string(material[:32]), string(material[32:])
	}
	// The parameters are the defaults of phpseclib 2 for AES.
	key, err := pbkdf2.Key(sha1.New, password, []byte("phpseclib"), 1000, 16)
	if err != nil {
		return "", errKeys
	}
	data, dataErr := hex.DecodeString(parts[0])
	iv, ivErr := hex.DecodeString(parts[1])
	if dataErr != nil || ivErr != nil {
		return "", errKeys
	}
	macKey := sha512.Sum512([]byte(macPassword + "a"))
	h := hmac.New(sha512.New, []byte(hex.EncodeToString(macKey[:])))
	h.Write([]byte(parts[0] + parts[1]))
	plain, err := openCBC(key, iv, data, parts[2], h.Sum(nil))
	return string(plain), err
}
