package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
)

// mailServer accepts mail without encryption and sends it to a channel. It implements as much of
// RFC 5321 as a correct client needs.
func mailServer(t *testing.T) (address string, mails <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan string, 16)
	serve := func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
		say("220 mail.example.com")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch strings.ToUpper(strings.Fields(line + " x")[0]) {
			case "EHLO", "HELO":
				say("250 mail.example.com")
			case "DATA":
				say("354 go on")
				var b strings.Builder
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if line == ".\r\n" {
						break
					}
					b.WriteString(strings.TrimPrefix(line, "."))
				}
				got <- b.String()
				say("250 taken")
			case "QUIT":
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String(), got
}

// plainText returns the text part of a mail.
func plainText(t *testing.T, raw string) (header mail.Header, text string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("no text in %s", raw)
		}
		if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			continue
		}
		var r io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			r = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return m.Header, string(b)
	}
}

// TestProduction_SignsInWithSenders runs the application outside demonstration mode: with a mail
// server, a provider of text messages, and an owner from the environment.
func TestProduction_SignsInWithSenders(t *testing.T) {
	t.Parallel()
	address, mails := mailServer(t)
	texts := make(chan map[string]string, 16)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m map[string]string
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil ||
			r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		texts <- m
	}))
	t.Cleanup(provider.Close)
	s := start(t, t.TempDir(), "-demo=false", "-sms=http",
		"-smtp=smtp+insecure://"+address+"?from=security@acme.example",
		"ACME_OWNER_EMAIL=boss@example.com", "ACME_OWNER_PASSWORD=correct horse battery staple",
		"SMS_URL="+provider.URL, "SMS_AUTHORIZATION=Bearer key")
	c := s.client(t)
	c.field(c.post(200, "/api/login", obj{"username": "boss@example.com",
		"password": "correct horse battery staple"}), "next", "verify")
	c.post(200, "/mfa/api/send", obj{"kind": "email"})
	header, text := plainText(t, <-mails)
	if to := header.Get("To"); !strings.Contains(to, "boss@example.com") {
		t.Errorf("to %s", to)
	}
	code := sixDigits.FindStringSubmatch(text)
	if code == nil {
		t.Fatalf("no code in %s", text)
	}
	c.verify(200, "email", code[1])
	c.field(c.get(200, "/api/me"), "type", "owner")

	a := c.post(200, "/mfa/api/enroll", obj{"kind": "sms", "number": "406 12 345", "region": "NO"})
	m := <-texts
	if m["to"] != "+4740612345" || !strings.HasSuffix(m["text"], "@127.0.0.1 #"+
		sixDigits.FindStringSubmatch(m["text"])[1]) {
		t.Errorf("text message: %v", m)
	}
	c.post(200, "/mfa/api/confirm", obj{"enrollment": a.body["enrollment"],
		"code": sixDigits.FindStringSubmatch(m["text"])[1]})

	if _, text = plainText(t, <-mails); !strings.Contains(text, "was added to the ways") {
		t.Errorf("the owner is not told of the new factor, but %s", text)
	}

	c.acts(403, "verification-link", "owner")
	c.has(c.get(200, "/admin/mfa/user?id=acct-owner"), "This is your own account")
	for _, secret := range []string{code[1], "correct horse", "Bearer", "boss@example.com",
		"40612345"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %s: %s", secret, s.log)
		}
	}
}

// TestVerify_OneOfParallelResponsesSignsIn submits one correct code many times at once, in one
// session and in several.
func TestVerify_OneOfParallelResponsesSignsIn(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("anna")
	secret, _ := c.enrollTOTP()
	c.advance("30s")
	code := totpCode(secret, c.step())
	const each = 8
	results := make(chan string, 5*each)
	var clients []*client
	for range 5 {
		d := s.client(t)
		d.password("anna")
		clients = append(clients, d)
	}
	for _, d := range clients {
		for range each {
			go func() {
				a, err := d.try("POST", "/mfa/api/verify", obj{"kind": "totp", "code": code})
				if err != nil {
					results <- err.Error()
					return
				}
				results <- fmt.Sprint(a.status)
			}()
		}
	}
	count := map[string]int{}
	for range 5 * each {
		count[<-results]++
	}
	if count["200"] != 1 {
		t.Errorf("responses: %v", count)
	}
	signedIn := 0
	for _, d := range clients {
		// In whatever order the responses arrived, the accepted browser's session is signed in.
		if a, err := d.try("GET", "/api/me", nil); err == nil && a.status == 200 {
			signedIn++
		}
	}
	if signedIn != 1 {
		t.Errorf("%d sessions are signed in", signedIn)
	}
}
