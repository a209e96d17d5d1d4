package sms_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// outbox is a Sender that keeps what it is given.
type outbox struct {
	sent []sms.Message
	err  error
}

func (o *outbox) Send(_ context.Context, m sms.Message) error {
	o.sent = append(o.sent, m)
	return o.err
}

func config(s sms.Sender) sms.Config {
	return sms.Config{Sender: s, ServiceName: "Acme", Origin: "acme.example",
		Allow: []string{sms.AnyCountry}}
}

func newFactor(t testing.TB, cfg sms.Config) *sms.Factor {
	t.Helper()
	f, err := sms.New(cfg)
	require.NoError(t, err)
	return f
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*factor.Problem](err); ok {
		return p.Reason
	}
	return "not a problem: " + err.Error()
}

func enroll(f *sms.Factor, number, region string) (*factor.EnrollOutput, error) {
	return f.Enroll(context.Background(), factor.EnrollInput{
		Params: map[string]secret.Text{"number": secret.New(number), "region": secret.New(region)},
		Now:    now})
}

// issue makes a code for state and returns what the Manager would keep, and the code.
func issue(t testing.TB, f *sms.Factor, state string) (factor.VerifyInput, string) {
	t.Helper()
	is, err := f.Issue(context.Background(), factor.IssueInput{State: []byte(state), Now: now})
	require.NoError(t, err)
	return factor.VerifyInput{State: []byte(state), Issued: is.Keep, IssuedAt: now,
		Expires: is.Expires, Now: now}, is.Payload.Reveal()
}

func deliver(f *sms.Factor, state, code string) error {
	return f.Deliver(context.Background(), factor.Message{State: []byte(state),
		Payload: secret.New(code), Purpose: "sign-in", Expires: now.Add(90 * time.Second),
		Time: now})
}

func verify(f *sms.Factor, in factor.VerifyInput, response string) error {
	in.Response = secret.New(response)
	v, err := f.Verify(context.Background(), in)
	if err == nil && v == nil {
		return errors.New("neither a verdict nor an error")
	}
	return err
}

// other is code with its first digit changed.
func other(code string) string { return string('0'+(code[0]-'0'+1)%10) + code[1:] }

func TestVerify_AcceptsTheCodeItIssued(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	in, code := issue(t, f, "+31612345678")
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
		t.Fatalf("the code is %q", code)
	}
	if !in.Expires.Equal(now.Add(90 * time.Second)) {
		t.Errorf("a code is valid until %s by default", in.Expires)
	}
	for _, c := range []struct {
		name     string
		response string
		change   func(*factor.VerifyInput)
		want     error
	}{
		{"correct", code, nil, nil},
		{"incorrect", other(code), nil, factor.ErrIncorrect},
		{"empty", "", nil, factor.ErrIncorrect},
		{"longer", code + "0", nil, factor.ErrIncorrect},
		{"huge", strings.Repeat(code, 1<<16), nil, factor.ErrIncorrect},
		{"nothing issued", code, func(in *factor.VerifyInput) {
			in.Issued = nil
		}, factor.ErrIncorrect},
		{"cut", code, func(in *factor.VerifyInput) {
			in.Issued = in.Issued[:20]
		}, factor.ErrIncorrect},
		{"of another number", code, func(in *factor.VerifyInput) {
			in.State = []byte("+31612345679")
		}, factor.ErrIncorrect},
		{"in the last millisecond", code, func(in *factor.VerifyInput) {
			in.Now = now.Add(90*time.Second - time.Millisecond)
		}, nil},
		{"at the end", code, func(in *factor.VerifyInput) {
			in.Now = now.Add(90 * time.Second)
		}, factor.ErrExpired},
		{"incorrect at the end", other(code), func(in *factor.VerifyInput) {
			in.Now = now.Add(90 * time.Second)
		}, factor.ErrIncorrect},
	} {
		in := in
		if c.change != nil {
			c.change(&in)
		}
		if err := verify(f, in, c.response); !errors.Is(err, c.want) ||
			c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestIssue_HonoursDigitsAndTTL(t *testing.T) {
	cfg := config(&outbox{})
	cfg.Digits, cfg.TTL = 10, 10*time.Minute
	f := newFactor(t, cfg)
	in, code := issue(t, f, "+31612345678")
	if len(code) != 10 || !in.Expires.Equal(now.Add(10*time.Minute)) {
		t.Errorf("a code of %d digits valid until %s", len(code), in.Expires)
	}
	if err := verify(f, in, code); err != nil {
		t.Error(err)
	}
}

// What is kept holds neither the code nor the number, and two
// issues of one number are unlike.
func TestIssue_KeepsNoSecret(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	a, code := issue(t, f, "+31612345678")
	b, _ := issue(t, f, "+31612345678")
	if bytes.Contains(a.Issued, []byte(code)) || bytes.Contains(a.Issued, []byte("612345678")) {
		t.Error("the code or the number is kept in the clear")
	}
	if bytes.Equal(a.Issued, b.Issued) {
		t.Error("two issues are kept alike")
	}
	is, err := f.Issue(context.Background(), factor.IssueInput{State: []byte("+31612345678"),
		Now: now})
	require.NoError(t, err)
	if is.Destination.Reveal() != "+31612345678" || is.Prompt.MaskedDestination != "+31 •••••5678" {
		t.Errorf("destination %q, masked %q", is.Destination.Reveal(), is.Prompt.MaskedDestination)
	}
	if s := fmt.Sprintf("%+v", is); strings.Contains(s, is.Payload.Reveal()) ||
		strings.Contains(s, "612345678") {
		t.Errorf("an issue prints as %s", s)
	}
}

func TestFactor_RefusesForeignState(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for _, state := range []string{"", "+", "31612345678", "+31612345678\n", "+3161234567890123",
		strings.Repeat("+1", 1<<19)} {
		_, err := f.Issue(context.Background(), factor.IssueInput{State: []byte(state), Now: now})
		require.Error(t, err)
		require.Error(t, verify(f, factor.VerifyInput{State: []byte(state), Now: now}, "123456"))
		require.Error(t, deliver(f, state, "123456"))
	}
}

func TestNormalize_IgnoresSpacesAndHyphens(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for in, want := range map[string]string{"123456": "123456", " 123 456\n": "123456",
		"123-456": "123456", "000000": "000000",
		"١٢٣٤٥٦": "123456"} {
		if got, err := f.Normalize(in); got != want || err != nil {
			t.Errorf("Normalize(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", "12345", "1234567", "12345a", "①②③④⑤⑥", "123456\x00",
		"\xff", strings.Repeat("1", 1<<20)} {
		if _, err := f.Normalize(in); reason(err) != "code_form" {
			t.Errorf("Normalize(%.20q): %v", in, err)
		}
	}
}

func TestDeliver_SendsTheCode(t *testing.T) {
	box := &outbox{}
	f := newFactor(t, config(box))
	require.NoError(t, deliver(f, "+31612345678", "012345"))
	require.Len(t, box.sent, 1)
	m := box.sent[0]
	if m.To != "+31612345678" || m.TTL != 90*time.Second || !strings.HasPrefix(m.Text, "012345 ") {
		t.Errorf("sent to %s, valid for %s: %s", m.To, m.TTL, m.Text)
	}
	require.Error(t, deliver(f, "+31612345678", ""), "a message without a code")
	require.Len(t, box.sent, 1)
}

// A Sender's error may quote what it likes; what comes out does not.
func TestDeliver_ErrorsQuoteNoSender(t *testing.T) {
	cause := errors.New("boom")
	for _, c := range []struct {
		name string
		err  error
		want string // the text
	}{
		{"plain", fmt.Errorf("to +31612345678 with 012345: %w", cause), "sms: the sender failed"},
		{"in a URL", fmt.Errorf("GET /?to=%%2B31612345678&text=012345: %w", cause),
			"sms: the sender failed"},
		{"in a SendError", &sms.SendError{Reason: "number 31612345678", Err: cause},
			"sms: the sender failed (permanent)"},
		{"around a SendError", fmt.Errorf("+31612345678: %w", &sms.SendError{Reason: "number",
			Err: cause}), "sms: the sender failed: number (permanent)"},
		{"in base64", fmt.Errorf("body KzMxNjEyMzQ1Njc4IDAxMjM0NQ==: %w", cause),
			"sms: the sender failed"},
		{"in quoted-printable", fmt.Errorf("=2B31612345678 =30=31=32=33=34=35: %w", cause),
			"sms: the sender failed"},
		{"harmless", &sms.SendError{Reason: "rate", Code: 429, Err: cause},
			"sms: the sender failed: rate (status 429, permanent)"},
	} {
		f := newFactor(t, config(&outbox{err: c.err}))
		err := deliver(f, "+31612345678", "012345")
		if !errors.Is(err, cause) {
			t.Errorf("%s: the cause is lost", c.name)
		}
		for _, s := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err),
			logged(err), encoded(err)} {
			if strings.Contains(s, "31612345678") || strings.Contains(s, "012345") ||
				strings.Contains(s, "KzMx") || strings.Contains(s, "=30") {
				t.Errorf("%s: it shows %s", c.name, s)
			}
		}
		if err.Error() != c.want {
			t.Errorf("%s: %q is not %q", c.name, err, c.want)
		}
	}
}

func TestCheck_RefusesBeforeTheCodeIsSent(t *testing.T) {
	box, risk := &outbox{}, errors.New("sim of +31612345678 swapped yesterday")
	cfg := config(box)
	var asked []sms.CheckInput
	cfg.Check = func(_ context.Context, in sms.CheckInput) error {
		asked = append(asked, in)
		if in.Number.Reveal() == "+31612345678" {
			return risk
		}
		return nil
	}
	f := newFactor(t, cfg)
	err := deliver(f, "+31612345678", "012345")
	require.ErrorIs(t, err, risk)
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "swapped") {
		t.Errorf("the text of a third-party error comes out: %v", err)
	}
	require.Empty(t, box.sent)
	require.NoError(t, deliver(f, "+31612345679", "012345"))
	require.Len(t, box.sent, 1)
	require.Len(t, asked, 2, "it is asked once for each message")
	require.Equal(t, "sign-in", asked[0].Purpose)
	if s := fmt.Sprintf("%+v", asked[0]); strings.Contains(s, "31612345678") {
		t.Errorf("a CheckInput prints as %s", s)
	}

	// Enrolling and issuing cost no look-up: Check is asked only about a message that was charged.
	_, err = enroll(f, "+31612345678", "")
	require.NoError(t, err)
	issue(t, f, "+31612345678")
	require.Len(t, asked, 2)
}

func TestFactor_StatesItsTraits(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	require.Equal(t, "sms", f.Kind())
	tr := f.Traits()
	tr.Settings = factor.Settings{} // see TestSettings_StateTheConfig
	require.Equal(t, factor.Traits{AMR: "sms", Level: factor.LevelStrong,
		Importable: true}, tr)
}

func TestPrinting_ShowsNoSecret(t *testing.T) {
	m := sms.Message{To: "+31612345678", Text: "012345 is your code", TTL: time.Minute}
	in := sms.Content{To: "+31612345678", Code: secret.New("012345")}
	for _, v := range []any{m, &m, []sms.Message{m}, struct{ M sms.Message }{m}, in} {
		for _, s := range []string{fmt.Sprintf("%v %+v %#v %s %x", v, v, v, v, v), encoded(v),
			logged(v)} {
			if strings.Contains(s, "612345678") || strings.Contains(s, "012345") ||
				strings.Contains(s, "303132333435") {
				t.Errorf("%T shows as %s", v, s)
			}
		}
	}
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	return fmt.Sprint(string(b), err)
}

func logged(v any) string {
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	return b.String()
}

func BenchmarkIssueVerify(b *testing.B) {
	f := newFactor(b, config(&outbox{}))
	const runs = 2000
	start := time.Now()
	for range runs {
		in, code := issue(b, f, "+31612345678")
		if verify(f, in, code) != nil {
			b.Fatal("refused")
		}
	}
	both := time.Since(start) / runs
	in, code := issue(b, f, "+31612345678")
	for b.Loop() {
		if verify(f, in, code) != nil {
			b.Fatal("refused")
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(both), "x-issue-and-verify")
}
