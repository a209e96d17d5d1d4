package sms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/secret"
)

// TwilioConfig is for Twilio's Programmable Messaging.
type TwilioConfig struct {
	// AccountSID is the account, "AC" and 32 hexadecimal digits. Required.
	AccountSID string
	// KeySID is an API key, "SK" and 32 hexadecimal digits, with Secret as its secret: it
	// can be withdrawn alone. Empty means that Secret is the account's auth token.
	KeySID string
	// Secret is the secret of the key, or the auth token. Required.
	Secret secret.Text
	// From is who sends: a number in E.164 form, a short code, or a name of up to eleven
	// letters, digits and spaces. Exactly one of From and MessagingServiceSID is required.
	From string
	// MessagingServiceSID is "MG" and 32 hexadecimal digits.
	MessagingServiceSID string
	// BaseURL is the interface. Empty means "https://api.twilio.com".
	BaseURL string
	// InsecureHTTP allows http to other machines than this one in BaseURL.
	InsecureHTTP bool
	// Timeout is for the whole exchange, up to a minute. 0 means 10 seconds.
	Timeout time.Duration
	// Client is used with its transport and cookies, but never follows a redirect. Nil means
	// one of our own over http.DefaultTransport.
	Client *http.Client
}

// Twilio sends messages through Twilio's Programmable Messaging
// (https://www.twilio.com/docs/messaging/api/message-resource). It is safe for concurrent
// use.
type Twilio struct {
	send func(context.Context, Message) error // a function, as in HTTPSender
}

type twilioAccount struct {
	*exchange
	url    string
	header http.Header
	sender [2]string
}

var (
	_ Sender = (*Twilio)(nil)

	twilioSID  = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`)
	shortCode  = regexp.MustCompile(`^[0-9]{3,8}$`)
	senderName = regexp.MustCompile(`^[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}$`)
)

// NewTwilio checks the configuration and returns the sender. It sends nothing.
func NewTwilio(cfg TwilioConfig) (*Twilio, error) {
	a, err := cfg.account()
	if err != nil {
		return nil, fmt.Errorf("sms: TwilioConfig: %w", err)
	}
	return &Twilio{a.deliver}, nil
}

func (cfg TwilioConfig) account() (*twilioAccount, error) {
	if err := cfg.checkCredentials(); err != nil {
		return nil, err
	}
	from, err := cfg.from()
	if err != nil {
		return nil, err
	}
	u, err := endpoint(cmp.Or(cfg.BaseURL, "https://api.twilio.com"), cfg.InsecureHTTP)
	if err != nil {
		return nil, invalid("BaseURL: %w", err)
	}
	path := u.JoinPath("2010-04-01", "Accounts", cfg.AccountSID, "Messages.json")
	a := &twilioAccount{url: path.String(), sender: from}
	if a.exchange, err = newExchange(cfg.Client, cfg.Timeout); err != nil {
		return nil, err
	}
	auth, err := basicAuth(cmp.Or(cfg.KeySID, cfg.AccountSID), cfg.Secret)
	if err != nil {
		return nil, err
	}
	a.header = http.Header{
		"Accept":        {"application/json"},
		"Authorization": {auth},
		"Content-Type":  {"application/x-www-form-urlencoded"},
	}
	return a, nil
}

func sid(prefix, s string) bool { return strings.HasPrefix(s, prefix) && twilioSID.MatchString(s) }

func (cfg TwilioConfig) checkCredentials() error {
	switch {
	case !sid("AC", cfg.AccountSID):
		return invalid("AccountSID is not one; copy it from the console, \"AC\" and 32 " +
			"hexadecimal digits")
	case cfg.KeySID != "" && !sid("SK", cfg.KeySID):
		return invalid("KeySID is not one; copy it from the console, \"SK\" and 32 hexadecimal " +
			"digits, or leave it empty to use the auth token")
	case cfg.Secret.IsZero():
		return invalid("Secret is empty; give the secret of the API key, or the auth token " +
			"where KeySID is empty")
	}
	return nil
}

// from returns the parameter that names the sender, and its value.
func (cfg TwilioConfig) from() (param [2]string, err error) {
	switch from := cfg.From; {
	case (from == "") == (cfg.MessagingServiceSID == ""):
		return param, errors.New("give exactly one of From and MessagingServiceSID")
	case from == "":
		if !sid("MG", cfg.MessagingServiceSID) {
			return param, invalid("MessagingServiceSID is not one; copy it from the console, " +
				"\"MG\" and 32 hexadecimal digits")
		}
		return [2]string{"MessagingServiceSid", cfg.MessagingServiceSID}, nil
	case e164.MatchString(from), shortCode.MatchString(from),
		len(from) <= 11 && senderName.MatchString(from):
		return [2]string{"From", from}, nil
	}
	return param, invalid("From is neither a number such as \"+15005550006\" nor a short code " +
		"nor a name of up to eleven letters, digits and spaces")
}

// Send sends one message. It asks Twilio to drop the message when its code has expired. Errors
// are a *[SendError] with Twilio's error code.
func (t *Twilio) Send(ctx context.Context, m Message) error { return t.send(ctx, m) }

func (a *twilioAccount) deliver(ctx context.Context, m Message) error {
	form := url.Values{"To": {m.To}, "Body": {m.Text}}
	form.Set(a.sender[0], a.sender[1])
	if m.TTL >= time.Second {
		// 36000 seconds is the most that Twilio takes.
		form.Set("ValidityPeriod", strconv.FormatInt(int64(min(m.TTL, 10*time.Hour)/time.Second),
			10))
	}
	r, err := a.do(ctx, http.MethodPost, a.url, a.header.Clone(), []byte(form.Encode()))
	if err != nil {
		return err
	}
	reply := r.json()
	if r.status == http.StatusOK || r.status == http.StatusCreated {
		sid, _ := at(reply, "sid")
		status, _ := at(reply, "status")
		if sid != "" && status != "failed" && status != "undelivered" {
			return nil
		}
		code, _ := at(reply, "error_code")
		e := twilioFailure(r, safeCode(code, m))
		if sid != "" && e.Reason == "reply" {
			e.Reason = "refused"
		}
		return e
	}
	code, _ := at(reply, "code")
	return twilioFailure(r, safeCode(code, m))
}

// twilioFailure goes by Twilio's error codes where they say more than the status does.
// Twilio warns that codes are refined from time to time; an unknown one is what its status
// says.
func twilioFailure(r *reply, code string) *SendError {
	e := r.failure(code)
	switch code {
	case "20429", "14107":
		e.Reason, e.Temporary = "rate", true
	case "20003", "20005":
		e.Reason = "credentials"
	case "21211", "21214", "21217", "21265", "21266", "21608", "21612", "21614", "21635":
		e.Reason, e.Rejected = "number", true
	case "21610":
		e.Reason, e.Rejected = "blocked", true
	case "21408":
		// The account does not send to that country: the status, 403, is not about credentials.
		e.Reason = "refused"
	}
	return e
}
