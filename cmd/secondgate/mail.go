package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/mfa"
)

// mailOptions say how and to where a recovery link is sent.
type mailOptions struct {
	server, page, service string
	address, locale       string
}

func recoveryLinkFlags(f *flag.FlagSet, c *call) {
	o := &c.mailing
	f.StringVar(&o.server, "smtp", "",
		"URL of the mail server, with the address that mails come from; defaults to "+
			"$SECONDGATE_SMTP, so that no other user sees its password")
	f.StringVar(&o.page, "setup-url", "",
		"page of the application to which the link leads, such as "+
			"https://acme.example/mfa/setup; defaults to $SECONDGATE_SETUP_URL")
	f.StringVar(&o.service, "service", "",
		"name of the service in the mail; defaults to $SECONDGATE_SERVICE")
	f.StringVar(&o.address, "email", "",
		"verified address of record of the user, to which the link is sent as well")
	f.StringVar(&o.locale, "locale", "", "language of the mail, such as nl; defaults to English")
}

// refuseRecoveryLink refuses a mail server or a page that cannot be.
func refuseRecoveryLink(c *call) error {
	_, err := c.mailing.config(true)
	return err
}

// config returns the settings of the kind email: those of a program that sends nothing, unless
// mails is set.
func (o mailOptions) config(mails bool) (email.Config, error) {
	if !mails {
		return email.Config{Sender: unsent{}, ServiceName: "secondgate"}, nil
	}
	server := cmp.Or(o.server, os.Getenv("SECONDGATE_SMTP"))
	page := cmp.Or(o.page, os.Getenv("SECONDGATE_SETUP_URL"))
	service := cmp.Or(o.service, os.Getenv("SECONDGATE_SERVICE"))
	if server == "" || page == "" || service == "" {
		return email.Config{}, fmt.Errorf("recovery-link needs -smtp, -setup-url and -service; %w",
			errUsage)
	}
	u, err := url.Parse(page)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return email.Config{}, fmt.Errorf("-setup-url is no address of a page; %w", errUsage)
	}
	settings, err := smtp.ParseURL(server)
	if err != nil {
		return email.Config{}, fmt.Errorf("%w; %w", err, errUsage)
	}
	sender, err := smtp.New(settings)
	if err != nil {
		return email.Config{}, fmt.Errorf("%w; %w", err, errUsage)
	}
	return email.Config{Sender: sender, ServiceName: service, SetupURL: func(token string) string {
		with := *u
		query := with.Query()
		query.Set("token", token)
		with.RawQuery = query.Encode()
		return with.String()
	}}, nil
}

// sendRecoveryLink mails a recovery link to the addresses that are known to be the user's.
func sendRecoveryLink(ctx context.Context, c *call) error {
	to := c.subject()
	to.Email, to.EmailVerified, to.Locale = c.mailing.address, c.mailing.address != "",
		c.mailing.locale
	d, err := c.admin().SendRecoveryLink(ctx, to)
	if errors.Is(err, mfa.ErrNotAvailable) && c.mailing.address == "" {
		return fmt.Errorf("%w; -email names one that the application has verified", err)
	}
	if err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, map[string]any{"id": c.args[0], "tenant": c.tenant,
			"masked_destination": d.MaskedDestination, "expires": d.Expires})
	}
	_, err = fmt.Fprintf(c.out, "A recovery link is mailed to %s. It is valid once, until %s.\n",
		d.MaskedDestination, d.Expires.Format(time.RFC3339))
	return err
}
