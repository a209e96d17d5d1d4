package mfa_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// quoted is an error with exported fields and no care at all for what it shows.
type quoted struct {
	Text string
	Kind error
}

func (q quoted) Error() string { return q.Text }
func (q quoted) Unwrap() error { return q.Kind }

// spellings are the forms in which an error may quote a text.
func spellings(s string) []string {
	qp := ""
	for _, b := range []byte(s) {
		qp += fmt.Sprintf("=%02X", b)
	}
	list := []string{s, url.QueryEscape(s), hex.EncodeToString([]byte(s)), qp}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding,
		base64.RawStdEncoding, base64.RawURLEncoding} {
		list = append(list, e.EncodeToString([]byte(s)))
	}
	return list
}

// shouter is a factor that says all that it knows in each error, or throws it.
type shouter struct {
	sent
	fails   string          // the method that does
	kind    error           // what the error wraps
	refusal *factor.Verdict // what Verify returns beside the error
	throws  bool
	heard   []string // all that it was given, in every spelling
}

func (s *shouter) shout(method string, secrets ...string) error {
	if method != s.fails {
		return nil
	}
	for _, secret := range secrets {
		if secret != "" {
			s.heard = append(s.heard, spellings(secret)...)
		}
	}
	q := quoted{method + " " + strings.Join(s.heard, " "), s.kind}
	if s.throws {
		panic(q)
	}
	return q
}

func (s *shouter) Normalize(r string) (string, error) {
	if err := s.shout("Normalize", r); err != nil {
		return "", err
	}
	return s.sent.Normalize(r)
}

func (s *shouter) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if err := s.shout("Enroll", in.User.Email, in.Params["address"].Reveal()); err != nil {
		return nil, err
	}
	return s.sent.Enroll(ctx, in)
}

func (s *shouter) Implied(p factor.User) ([]byte, string, error) {
	if err := s.shout("Implied", p.Email); err != nil {
		return nil, "", err
	}
	return s.sent.Implied(p)
}

func (s *shouter) Issue(ctx context.Context, in factor.IssueInput) (*factor.Issue, error) {
	if err := s.shout("Issue", string(in.State)); err != nil {
		return nil, err
	}
	return s.sent.Issue(ctx, in)
}

func (s *shouter) Deliver(ctx context.Context, in factor.Message) error {
	if err := s.shout("Deliver", string(in.State), in.Payload.Reveal(),
		in.Link.Reveal()); err != nil {
		return err
	}
	return s.sent.Deliver(ctx, in)
}

func (s *shouter) Notify(ctx context.Context, in factor.Message) error {
	if err := s.shout("Notify", string(in.State), in.Link.Reveal()); err != nil {
		return err
	}
	return s.sent.Notify(ctx, in)
}

func (s *shouter) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if err := s.shout("Verify", string(in.State), in.Response.Reveal()); err != nil {
		return s.refusal, err
	}
	return s.sent.Verify(ctx, in)
}

// everything is all ways of printing and encoding a value.
func everything(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	if err, ok := v.(error); ok {
		b.WriteString(err.Error() + "\n")
		for _, around := range []any{struct{ Err error }{err}, []error{err},
			map[string]error{"e": err},
			fmt.Errorf("around: %w", err), errors.Join(err, err)} {
			fmt.Fprintf(&b, "%v %+v %#v %s\n", around, around, around, around)
		}
	}
	encoded, err := json.Marshal(struct{ V any }{v})
	require.NoError(t, err)
	b.Write(encoded)
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Error("log", "value", v, slog.Any("any", v))
	}
	return b.String()
}

// quotes returns a secret that a text has, or "".
func quotes(text string, secrets []string) string {
	for _, secret := range secrets {
		switch {
		case len(secret) <= 4: // too short to be distinguished from a time or a number
		case !strings.Contains(text, secret):
		case sixDigits.MatchString(secret): // within a longer number it is there by chance
			if regexp.MustCompile("(^|[^0-9a-f])" + secret + "([^0-9a-f]|$)").MatchString(text) {
				return secret
			}
		default:
			return secret
		}
	}
	return ""
}

func TestQuotes_FindsASecretThatStandsAlone(t *testing.T) {
	secrets := []string{"1234", "012345", "ann@example.com"}
	for text, want := range map[string]string{"": "", "1234": "", "in 1234 ms": "",
		"code 012345": "012345", "012345": "012345", "x=012345&": "012345", "9012345": "",
		"0123456": "", "a012345": "", "to ann@example.com.": "ann@example.com"} {
		require.Equal(t, want, quotes(text, secrets), text)
	}
}

var sixDigits = regexp.MustCompile(`^\d{6}$`)

// Whatever a factor, or the sender behind it, says of the message reaches no error of ours, no
// event and no log, in whatever spelling, from whatever operation. The cause is there for
// errors.As.
func TestErrors_HoldNothingThatAFactorSaid(t *testing.T) {
	later := errors.New("later")
	for _, throws := range []bool{false, true} {
		for _, kind := range []error{later, factor.ErrMalformed, factor.ErrIncorrect,
			factor.ErrExpired,
			factor.ErrReplayed, factor.ErrUndeliverable, factor.ErrPending, mfa.ErrUnavailable,
			&factor.Problem{Reason: "012345 ann@example.com", Detail: "012345 ann@example.com"}} {
			for _, fails := range []string{"Normalize", "Enroll", "Implied", "Issue", "Deliver",
				"Notify", "Verify"} {
				t.Run(fmt.Sprintf("%s/%v/%v", fails, kind, throws), func(t *testing.T) {
					shoutAndListen(t, &shouter{sent: sent{kind: "mail"}, fails: fails, kind: kind,
						throws: throws})
				})
			}
		}
	}
}

func shoutAndListen(t *testing.T, s *shouter) {
	var log bytes.Buffer
	var told []error
	sink := mfa.SlogEvents(slog.New(slog.NewJSONHandler(&log, nil)))
	fails := s.fails
	s.fails = ""
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = []factor.Factor{c.Factors[0], s, c.Factors[2], codes{}}
		collect := c.Events
		c.Events = func(ctx context.Context, e mfa.Event) { collect(ctx, e); sink(ctx, e) }
		c.Notify = func(ctx context.Context, tell func(context.Context) error) {
			if err := tell(ctx); err != nil {
				told = append(told, err)
			}
		}
	})
	// While all is well: a challenge with a code on its way, a grant, an enrolment.
	code := func(address string) secret.Text { return s.code(address) }
	ch := r.begin(ann)
	r.send(ch)
	v, err := r.verify(ch, "mail", code(ann.Email))
	require.NoError(t, err)
	open := r.begin(ann)
	r.send(open)
	pending, err := r.begun(v.Grant, "mail", "home@example.com")
	require.NoError(t, err)
	s.heard = append(s.heard, spellings(code(ann.Email).Reveal())...)
	s.fails = fails

	var errs []error
	do := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	ctx := t.Context()
	_, err = r.Session(ann, binding).Begin(ctx)
	do(err)
	_, err = r.Overview(ctx, ann)
	do(err)
	_, err = r.verify(open, "mail", code(ann.Email))
	do(err)
	_, err = r.Session(ann, binding).Send(ctx, open, "mail")
	do(err)
	_, err = r.Session(ann, binding).Confirm(ctx, pending, code("home@example.com"))
	do(err)
	_, err = r.Session(ann, binding).Resend(ctx, pending)
	do(err)
	_, err = r.begun(v.Grant, "mail", "other@example.com")
	do(err)
	_, err = r.Admin(boss, "").SendVerificationLink(ctx, ann)
	do(err)
	_, err = r.Session(ann, binding).SendRecoveryLink(ctx, open)
	do(err)
	_, err = r.Admin(boss, "").SendRecoveryLink(ctx, ann)
	do(err)
	do(r.Admin(boss, "").Reset(ctx, ann))

	require.True(t, len(errs)+len(told) > 0 || s.fails == "Implied", "it was never asked")
	all := log.String()
	for _, err := range append(errs, told...) {
		require.NotErrorIs(t, err, factor.ErrPending, "it would read as: not decided yet")
		all += everything(t, err)
	}
	for _, e := range r.events {
		all += everything(t, e)
	}
	heard := append(s.heard, "012345")
	if quotes(all, heard) != "" {
		// Times of a log, addresses and identifiers hold six digits of any kind.
		all = regexp.MustCompile(`\.\d{6,9}(Z| )|0x[0-9a-f]+|[A-Z2-7]{12}`).ReplaceAllString(all, "")
		require.Empty(t, quotes(all, heard), all)
	}
	if s.throws || s.fails == "Implied" || s.fails == "Verify" && errors.Is(s.kind,
		factor.ErrIncorrect) || errors.Is(s.kind, factor.ErrPending) {
		return // the value that was thrown is dropped, and one incorrect response is like another;
		// and an ErrPending is one of a response alone
	}
	var q quoted
	require.ErrorAs(t, errors.Join(append(errs, told...)...), &q, "the cause is there")
}

// The responses are distinguished as before, by what they are.
func TestErrors_KeepTheirKind(t *testing.T) {
	for want, kind := range map[error]error{factor.ErrIncorrect: factor.ErrIncorrect,
		factor.ErrExpired:  factor.ErrExpired,
		factor.ErrReplayed: factor.ErrReplayed, mfa.ErrUnavailable: errors.New("broken")} {
		f := &shouter{sent: sent{kind: "mail"}, fails: "Verify", kind: kind}
		r := newRig(t, func(c *mfa.Config) { c.Factors = []factor.Factor{f} })
		ch := r.begin(ann)
		r.send(ch)
		_, err := r.verify(ch, "mail", f.code(ann.Email))
		// a correct response that came too late is not counted
		if !errors.Is(want, factor.ErrExpired) {
			var a *mfa.AttemptError
			require.ErrorAs(t, err, &a)
		}
		require.ErrorIs(t, err, want)
		require.ErrorIs(t, err, kind, "the cause")
	}
	f := &shouter{sent: sent{kind: "mail"}, fails: "Deliver",
		kind: &factor.Problem{Reason: "number_at_risk", Detail: "x"}}
	r := newRig(t, func(c *mfa.Config) { c.Factors = []factor.Factor{f} })
	_, err := r.Session(ann, binding).Send(t.Context(), r.begin(ann), "mail")
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.EqualError(t, err, "mfa: the mail factor refused the input (number_at_risk)")
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
}

// status is an error with what may be shown of a reply.
type status struct {
	quoted
	code      int
	temporary bool
}

func (s status) SendStatus() (int, bool) { return s.code, s.temporary }

// What a sender states as data is in the text: it can quote nothing.
func TestErrors_ShowTheStatusOfASend(t *testing.T) {
	for code, want := range map[int]string{550: " (status 550, permanent)", 0: " (permanent)",
		12345: " (permanent)"} {
		r := newRig(t)
		ch := r.begin(ann)
		r.mail.fail = status{quoted{"012345", nil}, code, false}
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
		require.EqualError(t, err,
			"mfa: temporarily unavailable: the mail factor could not send"+want)
	}
}

// A factor is called in calls.go alone, which takes its words out of what it returns.
func TestCalls_EnterFactorsInOnePlace(t *testing.T) {
	direct := regexp.MustCompile(
		`\.(Issue|Deliver|Notify|Implied|Normalize)\(|\.(Enroll|Verify)\(ctx, (factor\.|in\))`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	calls := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			code, _, _ := strings.Cut(line, "//")
			code = strings.ReplaceAll(code, "m.cfg.Notify(", "") // the application's
			if strings.HasPrefix(code, "func ") || !direct.MatchString(code) {
				continue
			}
			calls++
			require.Equal(t, "calls.go", file, line)
		}
	}
	require.Equal(t, 7, calls)
}
