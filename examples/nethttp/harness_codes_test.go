package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// password verifies the first factor, and chooses the account.
func (c *client) password(username string) *response {
	c.t.Helper()
	for _, p := range c.s.seeded(c.t) {
		if p.Username != username {
			continue
		}
		a := c.post(200, "/api/login", obj{"username": p.Username, "password": p.Password})
		if a.body["next"] == "account" {
			a = c.post(200, "/api/account", obj{"id": p.Accounts[0].ID})
		}
		return a
	}
	c.t.Fatalf("nobody is called %s", username)
	return nil
}

var sixDigits = regexp.MustCompile(`(?:^|\D)(\d{6})(?:\D|$)`)

// mailed returns the newest code to an address or number, or "".
func (c *client) mailed(to string) string {
	a, err := c.try("GET", "/demo/outbox", nil)
	if err != nil {
		return ""
	}
	var list []message
	if json.Unmarshal([]byte(a.text), &list) != nil {
		return ""
	}
	for _, m := range list {
		if m.To == to {
			if found := sixDigits.FindStringSubmatch(linkForm.ReplaceAllString(m.Text,
				"")); found != nil {
				return found[1]
			}
		}
	}
	return ""
}

// send requests a code and reads it from the outbox.
func (c *client) send(kind, to string) string {
	c.t.Helper()
	c.post(200, "/mfa/api/send", obj{"kind": kind})
	code := c.mailed(to)
	if code == "" {
		c.t.Fatalf("no code was sent to %s", to)
	}
	return code
}

func (c *client) verify(status int, kind, code string) *response {
	c.t.Helper()
	return c.post(status, "/mfa/api/verify", obj{"kind": kind, "code": code})
}

// signIn signs in by e-mail.
func (c *client) signIn(username string) {
	c.t.Helper()
	a := c.password(username)
	c.field(a, "next", "verify")
	address := strings.TrimSuffix(strings.TrimSuffix(username, ".manager"), ".employee") +
		"@acme.example"
	c.verify(200, "email", c.send("email", address))
	c.field(c.get(200, "/api/me"), "username", username)
}

// wrong returns a code other than code.
func wrong(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

func (c *client) now() time.Time {
	c.t.Helper()
	s, _ := c.get(200, "/demo/clock").body["now"].(string)
	now, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		c.t.Fatal(err)
	}
	return now
}

func (c *client) advance(d string) {
	c.t.Helper()
	c.post(200, "/demo/clock", obj{"advance": d})
}

// totpCode computes a code by RFC 6238 with the defaults of every authenticator app.
func totpCode(secret string, step uint64) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(
		strings.ReplaceAll(strings.ToUpper(secret), " ", ""))
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// step returns the time step of the demonstration clock.
func (c *client) step() uint64 { return uint64(c.now().Unix()) / 30 }

// enrollTOTP enrols an authenticator app with the current code, and returns its secret and ID.
func (c *client) enrollTOTP() (secret string, factorID string) {
	c.t.Helper()
	a := c.post(200, "/mfa/api/enroll", obj{"kind": "totp"})
	secret, _ = a.body["secret"].(string)
	for _, name := range []string{"enrollment", "secret", "uri", "qr_svg"} {
		if s, _ := a.body[name].(string); s == "" {
			c.t.Fatalf("%s is missing: %s", name, a.text)
		}
	}
	a = c.post(200, "/mfa/api/confirm", obj{"enrollment": a.body["enrollment"],
		"code": totpCode(secret, c.step())})
	f, _ := a.body["factor"].(map[string]any)
	factorID, _ = f["id"].(string)
	return secret, factorID
}

// kinds returns the kinds of factors that the user has enrolled.
func (c *client) kinds() (list []string) {
	c.t.Helper()
	for _, f := range c.get(200, "/mfa/api/factors").body["factors"].([]any) {
		if f := f.(map[string]any); f["implicit"] != true {
			list = append(list, f["kind"].(string))
		}
	}
	return list
}
