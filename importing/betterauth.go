package importing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// BetterAuth reads what this statement writes of a database of better-auth, one user on a line:
//
//	select json_build_object('id', u.id, 'email', u.email,
//	  'twoFactor', (select to_json(t) from "twoFactor" t where t."userId" = u.id),
//	  'passkeys', (select json_agg(p) from passkey p where p."userId" = u.id)) from "user" u;
//
// The keys are BETTER_AUTH_SECRET and the versions of it before. The ID of a user is better-auth's,
// and the account is the address. It takes verified authenticator apps with the default number of
// digits and period, backup codes and passkeys. Backup codes that the application encrypts by a
// function of its own cannot be read.
func BetterAuth(r io.Reader, keys ...secret.Text) Users {
	return each(r, "better-auth", func(b betterAuthUser) (User, error) { return b.user(keys) })
}

type betterAuthUser struct {
	ID, Email string
	TwoFactor *struct {
		Secret, BackupCodes string
		Verified            *yes
	}
	Passkeys []struct {
		Name, PublicKey, DeviceType, Transports, AAGUID string
		CredentialID                                    string
		Counter                                         uint32
		BackedUp                                        yes
	}
}

func (b betterAuthUser) user(keys []secret.Text) (User, error) {
	u := User{User: mfa.User{ID: b.ID, Account: b.Email}}
	for _, p := range b.Passkeys {
		credential, _ := json.Marshal(map[string]any{"id": p.CredentialID,
			"publicKey": p.PublicKey, "counter": p.Counter, "transports": p.Transports,
			"deviceType": p.DeviceType, "backedUp": bool(p.BackedUp),
			"aaguid": p.AAGUID}) // plain data: cannot fail
		u.add("passkey", p.Name, map[string]string{"credential": string(credential)})
	}
	switch two := b.TwoFactor; {
	case two == nil:
		return u, nil
	case two.Verified != nil && !bool(*two.Verified):
		u.NotMoved = append(u.NotMoved, "an app that the user has not verified")
		return u, nil
	}
	app, err := betterAuthText(b.TwoFactor.Secret, keys)
	if err != nil {
		return u, err
	}
	// The text is the key itself; only the URI of the QR code has it in base32.
	u.add("totp", "", map[string]string{"secret": base32Of([]byte(app))})
	list := b.TwoFactor.BackupCodes
	if !strings.HasPrefix(list, "[") {
		if list, err = betterAuthText(list, keys); err != nil {
			return u, err
		}
	}
	var codes []string
	if json.Unmarshal([]byte(list), &codes) != nil {
		return u, errKeys
	}
	if len(codes) > 0 { // else all are used
		u.add("recovery", "", map[string]string{"codes": strings.Join(codes, "\n")})
	}
	return u, nil
}

// betterAuthText decrypts a text: hexadecimal digits, after the version of the key if there are
// several.
func betterAuthText(kept string, keys []secret.Text) (string, error) {
	if versioned, ok := strings.CutPrefix(kept, "$ba$"); ok {
		_, kept, _ = strings.Cut(versioned, "$")
	}
	data, err := hex.DecodeString(kept)
	if err != nil || len(data) < chacha20poly1305.NonceSizeX {
		return "", errKeys
	}
	nonce, sealed := data[:chacha20poly1305.NonceSizeX], data[chacha20poly1305.NonceSizeX:]
	for _, k := range keys {
		key := sha256.Sum256([]byte(k.Reveal()))
		aead, err := chacha20poly1305.NewX(key[:])
		if err != nil {
			continue
		}
		if plain, err := aead.Open(nil, nonce, sealed, nil); err == nil {
			return string(plain), nil
		}
	}
	return "", errKeys
}
