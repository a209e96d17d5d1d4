// Package telemetry_test shows the metrics of a Manager to a real Prometheus.
package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/otelmfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

const files = "../../../otelmfa"

// application is a Manager whose metrics Prometheus scrapes.
type application struct {
	*testing.T
	manager    *mfa.Manager
	telemetry  *otelmfa.Telemetry
	prometheus *servers.Server
	code       string
	down       atomic.Bool
	users      int
}

func (a *application) sent(code string) error {
	if a.down.Load() {
		return errors.New("the provider is down")
	}
	a.code = code
	return nil
}

type mails struct{ *application }

func (m mails) Send(_ context.Context, message email.Message) error {
	return m.sent(codeIn(message.Text.Reveal()))
}

type texts struct{ *application }

func (m texts) Send(_ context.Context, message sms.Message) error {
	return m.sent(codeIn(message.Text))
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func codeIn(text string) string { return sixDigits.FindString(text) }

// brokenStore fails while the application is down.
type brokenStore struct {
	storage.Store
	*application
}

func (s brokenStore) Get(ctx context.Context, key string) (storage.Record, error) {
	if s.down.Load() {
		return storage.Record{}, errors.New("the database is down")
	}
	return s.Store.Get(ctx, key)
}

func newApplication(t *testing.T) *application {
	a := &application{T: t}
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	require.NoError(t, err)
	a.telemetry, err = otelmfa.New(otelmfa.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))})
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	mail, err := email.New(email.Config{ServiceName: "Acme",
		Sender: a.telemetry.MailSender(mails{a})})
	require.NoError(t, err)
	text, err := sms.New(sms.Config{ServiceName: "Acme", Origin: sms.NoOrigin,
		Allow: []string{sms.AnyCountry}, Sender: a.telemetry.TextSender(texts{a})})
	require.NoError(t, err)
	a.manager, err = mfa.New(mfa.Config{Keys: keys, Factors: []factor.Factor{mail, text},
		Store:  a.telemetry.Store(brokenStore{memory.New(), a}),
		Events: a.telemetry.Events(nil), Calls: a.telemetry.Calls})
	require.NoError(t, err)

	scraped := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(scraped.Close)
	a.prometheus = servers.Prometheus(t, a.configuration(scraped.URL))
	return a
}

// configuration writes a configuration that reads the shipped rules. They fire at once;
// TestRules_FireWhenTheyAreTo is about how long they wait.
func (a *application) configuration(target string) string {
	rules, err := os.ReadFile(filepath.Join(files, "prometheus", "secondgate.rules.yml"))
	require.NoError(a, err)
	impatient := regexp.MustCompile(`(?m)^ +for: \dm$`).ReplaceAll(rules, nil)
	dir, err := os.MkdirTemp("", "secondgate")
	require.NoError(a, err)
	a.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(a, os.Chmod(dir, 0o755)) // the server is another user
	require.NoError(a, os.WriteFile(filepath.Join(dir, "rules.yml"), impatient, 0o644))
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(a, os.WriteFile(config, []byte(fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs: [{job_name: acme, static_configs: [{targets: ['%s']}]}]
`, strings.TrimPrefix(target, "http://"))), 0o644))
	return config
}

// challenge begins a sign-in of a user who has just enrolled, and sends a code.
func (a *application) challenge(kind string) (mfa.Session, *mfa.Challenge) {
	a.users++
	id := fmt.Sprint("user-", a.users)
	s := a.manager.Session(mfa.User{ID: id}, "session")
	c, err := s.Begin(a.Context())
	require.NoError(a, err)
	e, err := s.Enroll(a.Context(), c.Grant, mfa.EnrollRequest{Kind: kind,
		Params: map[string]secret.Text{"address": secret.New(id + "@example.com"),
			"number": secret.New(fmt.Sprintf("+31612%06d", a.users))}})
	require.NoError(a, err)
	_, err = s.Confirm(a.Context(), e, secret.New(a.code))
	require.NoError(a, err)
	c, err = s.Begin(a.Context())
	require.NoError(a, err)
	_, err = s.Send(a.Context(), c, kind)
	require.NoError(a, err)
	return s, c
}

// signIn signs a user in, after a typing error of some.
func (a *application) signIn(kind string) {
	s, c := a.challenge(kind)
	if a.users%10 == 0 {
		_, err := s.Verify(a.Context(), c, kind, a.wrong())
		require.Error(a, err)
	}
	_, err := s.Verify(a.Context(), c, kind, secret.New(a.code))
	require.NoError(a, err)
}

// guess enters incorrect codes until the user is locked, and once more.
func (a *application) guess() {
	s, c := a.challenge("email")
	for range 6 {
		_, err := s.Verify(a.Context(), c, "email", a.wrong())
		require.Error(a, err)
	}
}

// wrong returns a code that was not sent.
func (a *application) wrong() secret.Text {
	if a.code == "000000" {
		return secret.New("000001")
	}
	return secret.New("000000")
}

// ask asks Prometheus, and reads its answer into data.
func (a *application) ask(path string, data any) {
	response, err := http.Get("http://" + a.prometheus.Addr + path)
	require.NoError(a, err)
	defer func() { _ = response.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	require.NoError(a, json.NewDecoder(response.Body).Decode(&answer))
	require.Equal(a, "success", answer.Status, "%s: %s", path, answer.Error)
}

// firing returns the alerts that fire.
func (a *application) firing() map[string]bool {
	var data struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	a.ask("/api/v1/alerts", &data)
	names := make(map[string]bool)
	for _, alert := range data.Alerts {
		names[alert.Labels["alertname"]] = names[alert.Labels["alertname"]] ||
			alert.State == "firing"
	}
	return names
}

// value returns the value of an expression, or 0.
func (a *application) value(expression string) string {
	var data struct {
		Result []struct{ Value []any }
	}
	a.ask("/api/v1/query?query="+url.QueryEscape(expression), &data)
	if len(data.Result) == 0 {
		return "0"
	}
	return fmt.Sprint(data.Result[0].Value[1])
}

// scraped waits until Prometheus has all events of a name, twice, as a rate needs two samples.
func (a *application) scraped(event string, count int) {
	require.Eventually(a, func() bool {
		sum := fmt.Sprintf("sum(secondgate_events_total{event=%q})", event)
		return a.value(sum) == fmt.Sprint(count)
	}, time.Minute, 100*time.Millisecond)
	require.Eventually(a, func() bool {
		rate := fmt.Sprintf("min(count_over_time(secondgate_events_total{event=%q}[1m]))", event)
		return a.value(rate) > "1"
	}, time.Minute, 100*time.Millisecond)
}

func TestAlerts_FireForAttacksAndOutagesAlone(t *testing.T) {
	a := newApplication(t)
	a.anything()
	a.scraped("verify.success", 5)

	for range 200 {
		a.signIn("email")
		a.signIn("sms")
	}
	a.anything()
	a.scraped("verify.success", 810)
	time.Sleep(3 * time.Second) // three evaluations, in which nothing may fire
	require.Empty(t, a.firing(), "ordinary sign-ins")
	a.dashboard()

	for range 1000 {
		a.guess()
	}
	require.Eventually(t, func() bool { return a.firing()["SecondgateGuessing"] },
		time.Minute, 100*time.Millisecond, "a wave of guesses")
	for range 300 {
		s, c := a.challenge("sms")
		for range 9 {
			_, err := s.Send(t.Context(), c, "sms")
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return a.firing()["SecondgatePumping"] },
		time.Minute, 100*time.Millisecond, "messages that no user asked for")
	require.False(t, a.firing()["SecondgateSenderDown"])
	require.False(t, a.firing()["SecondgateStoreFails"])

	require.Eventually(t, func() bool {
		for range 3000 {
			a.outage()
		}
		firing := a.firing()
		return firing["SecondgateSenderDown"] && firing["SecondgateStoreFails"]
	}, time.Minute, time.Second, "an outage of the mail server and of the database")
	for _, event := range []string{"device.reused", "lockout.disabled"} {
		a.telemetry.Events(nil)(t.Context(), mfa.Event{Name: event})
	}
	for _, name := range []string{"SecondgateCopied", "SecondgateDisabled"} {
		require.Eventually(t, func() bool { return a.firing()[name] },
			time.Minute, 100*time.Millisecond, name)
	}
}

// outage tries to send and to begin while nothing works.
func (a *application) outage() {
	a.down.Store(true)
	defer a.down.Store(false)
	_ = a.telemetry.MailSender(mails{a}).Send(a.Context(), email.Message{})
	_, err := a.manager.Session(mfa.User{ID: "ann"}, "session").Begin(a.Context())
	require.ErrorIs(a, err, mfa.ErrUnavailable)
}

// anything does something for each panel. An enrolment is a correct response too, so that
// Prometheus counts five.
func (a *application) anything() {
	a.signIn("email")
	a.signIn("sms")
	a.guess()
	a.telemetry.Reencryption(a.Context(), report.Progress{Records: 1})
	a.telemetry.Events(nil)(a.Context(), mfa.Event{Name: "admin.unlock"})
	store := a.telemetry.Store(memory.New())
	record := storage.Record{Revision: "1", Data: []byte("x")}
	require.NoError(a, store.Swap(a.Context(), "u/ann", "", record))
	require.ErrorIs(a, store.Swap(a.Context(), "u/ann", "", record), storage.ErrConflict)
}

// dashboard asks Prometheus for what each panel shows.
func (a *application) dashboard() {
	text, err := os.ReadFile(filepath.Join(files, "grafana", "secondgate.json"))
	require.NoError(a, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(a, json.Unmarshal(text, &dashboard))
	require.Greater(a, len(dashboard.Panels), 7)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			shown := strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")
			require.Eventually(a, func() bool { return a.value("max("+shown+")") != "0" },
				time.Minute, 100*time.Millisecond, "panel %q: %s", panel.Title, shown)
		}
	}
}
