package sms_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
)

func TestEnroll_ReadsInternationalNumbers(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for _, c := range []struct{ in, want, reason string }{
		{"+31612345678", "+31612345678", ""},
		{" +31 6 1234-5678 ", "+31612345678", ""},
		{"+1\u00a0(201) 555-0123", "+12015550123", ""},
		{"+2902222", "+2902222", ""},
		{"+123456789012345", "+123456789012345", ""},
		{"", "", "number_missing"},
		{" ", "", "number_missing"},
		{"0612345678", "", "number_international"},
		{"0031612345678", "", "number_international"},
		{"31612345678", "", "number_international"},
		{"(201) 555-0123", "", "number_international"},
		{"+31 (0)6 12345678", "", "number_form"}, // not to be guessed at
		{"+31 ( 0 )6 12345678", "", "number_form"},
		{"+0612345678", "", "number_form"},
		{"+123456", "", "number_form"},
		{"+1234567890123456", "", "number_form"},
		{"+31+612345678", "", "number_form"},
		{"+31.612345678", "", "number_form"},
		{"+٣١٦١٢٣٤٥٦٧٨", "+31612345678", ""},
		{"\u202a+31 6 12345678\u202c", "+31612345678", ""},
		{"tel:+31-6-1234-5678", "+31612345678", ""},
		{"+31\u200b612345678", "+31612345678", ""},
		{"＋３１６１２３４５６７８", "+31612345678", ""},
		{"+31612345678\n", "+31612345678", ""},
		{"+31612345678\n1", "", "number_form"},
		{"+31612345678\x00", "", "number_form"},
		{"+31612\xff345678", "", "number_form"},
		{"+31612345678x5", "", "number_extension"},
		{"+31612345678 ext. 5", "", "number_extension"},
		{"+31612345678;5", "", "number_extension"},
		{"+31612345678#5", "", "number_extension"},
		{"+31612345678,5", "", "number_extension"},
		{"+1" + strings.Repeat(" ", 1<<20), "", "number_form"},
		{"+" + strings.Repeat("1", 1<<20), "", "number_form"},
	} {
		out, err := enroll(f, c.in, "")
		if reason(err) != c.reason {
			t.Errorf("%.40q: reason %q, want %q", c.in, reason(err), c.reason)
		}
		if err == nil && string(out.State) != c.want {
			t.Errorf("%.40q: state %q, want %q", c.in, out.State, c.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "123456789") {
			t.Errorf("%.40q: the error quotes: %v", c.in, err)
		}
	}
}

func TestEnroll_RefusesADuplicate(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	in := factor.EnrollInput{Params: map[string]secret.Text{"number": secret.New("+31 612345678")},
		Existing: []factor.EnrollOutput{
			{State: []byte("+31612345679")}, {State: []byte("+31612345678")}}}
	_, err := f.Enroll(context.Background(), in)
	require.Equal(t, "number_duplicate", reason(err))
	in.Existing = in.Existing[:1]
	_, err = f.Enroll(context.Background(), in)
	require.NoError(t, err)
}

func TestFactorEnroll_MasksTheNumber(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for number, want := range map[string]string{
		"+12025550123":     "+1 ••••••0123",
		"+31612345678":     "+31 •••••5678",
		"+4740612345":      "+47 ••••2345",
		"+3581234567":      "+358 ••••567", // never more than half
		"+3541234567":      "+354 ••••567",
		"+29022222":        "+290 •••22",
		"+2902222":         "+290 ••••", // four would be all
		"+79161234567":     "+7 ••••••4567",
		"+4915123456789":   "+49 •••••••6789",
		"+999123456789012": "+999 ••••••••9012",
	} {
		out, err := enroll(f, number, "")
		require.NoError(t, err)
		if out.MaskedDestination != want || out.Prompt.MaskedDestination != want {
			t.Errorf("%s is shown as %q and %q, want %q", number, out.MaskedDestination,
				out.Prompt.MaskedDestination, want)
		}
	}
}

// The calling code that is shown is the one of the world's numbering plan.
func TestEnroll_ShowsTheCallingCode(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for _, c := range phone.Countries("en") {
		out, err := enroll(f, "+"+c.CallingCode+"55555555", "")
		require.NoError(t, err)
		if !strings.HasPrefix(out.MaskedDestination, "+"+c.CallingCode+" •") {
			t.Errorf("%s: masked %q, want calling code %s", c.Region, out.MaskedDestination,
				c.CallingCode)
		}
	}
}

func TestEnroll_HonoursAllowAndDeny(t *testing.T) {
	for _, c := range []struct {
		allow, deny     []string
		served, refused []string
	}{
		{[]string{"+31"}, nil, []string{"+31612345678"}, []string{"+32412345678", "+13105550123"}},
		{[]string{"+31", "+47"}, nil, []string{"+31612345678", "+4740612345"},
			[]string{"+4512345678"}},
		{[]string{"+1"}, []string{"+1876", "+1809"}, []string{"+12015550123"},
			[]string{"+18765550123", "+18095550123"}},
		{[]string{sms.AnyCountry}, []string{"+31"}, []string{"+4740612345"},
			[]string{"+31612345678"}},
		// Satellite and premium networks are no country.
		{[]string{sms.AnyCountry}, nil, []string{"+31612345678", "+12015550123"},
			[]string{"+882123456789", "+883123456789", "+881612345678", "+870123456789",
				"+979123456789", "+80012345678"}},
		{[]string{sms.AnyCountry, "+8816"}, nil, []string{"+881612345678", "+31612345678"},
			[]string{"+881912345678"}},
	} {
		cfg := config(&outbox{})
		cfg.Allow, cfg.Deny = c.allow, c.deny
		f := newFactor(t, cfg)
		for _, n := range c.served {
			_, err := enroll(f, n, "")
			if err == nil {
				_, err = f.Issue(context.Background(), factor.IssueInput{State: []byte(n),
					Now: now})
			}
			if err != nil {
				t.Errorf("allow %v, deny %v: %s is refused: %v", c.allow, c.deny, n, err)
			}
		}
		for _, n := range c.refused {
			_, err := enroll(f, n, "")
			// Who enrolled while the country was served is not sent anything either.
			_, err2 := f.Issue(context.Background(), factor.IssueInput{State: []byte(n), Now: now})
			if reason(err) != "number_country" || reason(err2) != "number_country" {
				t.Errorf("allow %v, deny %v: %s: %v; %v", c.allow, c.deny, n, err, err2)
			}
		}
	}
}

func TestEnroll_CallsParse(t *testing.T) {
	cfg := config(&outbox{})
	cfg.Parse = phone.Parse
	f := newFactor(t, cfg)
	out, err := enroll(f, "06 1234 5678", "nl")
	require.NoError(t, err)
	require.Equal(t, "+31612345678", string(out.State))
	for _, c := range []struct{ in, region, reason string }{
		{"06 1234 5678", "", "number_international"},
		{"06 1234 5678", "Nederland", "number_region"},
		{"0900 1234567", "NL", "number_premium"},
		{strings.Repeat("6", 65), "NL", "number_form"},
	} {
		if _, err := enroll(f, c.in, c.region); reason(err) != c.reason {
			t.Errorf("%q: reason %q, want %q", c.in, reason(err), c.reason)
		}
	}
}

// Whatever it does, no number that is not E.164 is enrolled, and
// none is in an error.
func TestParse_HookOfTheApplication(t *testing.T) {
	for _, c := range []struct {
		number string
		err    error
	}{
		{"", errors.New("cannot parse 0612345678")},
		{"0612345678", nil},
		{"+31612345678 ", nil},
		{"+31612345678\n", nil},
		{"", nil},
	} {
		cfg := config(&outbox{})
		cfg.Parse = func(string, sms.Region) (string, error) { return c.number, c.err }
		_, err := enroll(newFactor(t, cfg), "0612345678", "NL")
		if err == nil || strings.Contains(err.Error(), "612345678") {
			t.Errorf("%q, %v: %v", c.number, c.err, err)
		}
		if c.err != nil && reason(err) != "number_form" {
			t.Errorf("a third-party error becomes %v", err)
		}
	}
}

func FuzzEnroll(f *testing.F) {
	for _, s := range []string{"+31612345678", "+1 (201) 555-0123", "0612345678", "+31 (0)6", "+",
		"", "+2902222", "+31\u00a06123456", "x", "tel:+31612345678", "\u202d+31612345678\u202c",
		"+52 1 55 1234 5678"} {
		f.Add(s)
	}
	fac := newFactor(f, config(&outbox{}))
	f.Fuzz(func(t *testing.T, number string) {
		out, err := enroll(fac, number, "")
		if err != nil {
			if !errors.Is(err, factor.ErrMalformed) {
				t.Fatalf("%q: %v", number, err)
			}
			return
		}
		state := string(out.State)
		if len(state) < 8 || len(state) > 16 || state[0] != '+' ||
			strings.Trim(state[1:], "0123456789") != "" {
			t.Fatalf("%q becomes %q", number, state)
		}
		if again, err := enroll(fac, state, ""); err != nil || string(again.State) != state {
			t.Fatalf("%q becomes %v, %v", state, again, err)
		}
		// A masked number never shows more than half of what follows the calling code.
		_, masked, _ := strings.Cut(out.MaskedDestination, " ")
		if strings.Count(masked, "•") < len([]rune(masked))-strings.Count(masked, "•") {
			t.Fatalf("%q is shown as %q", state, out.MaskedDestination)
		}
	})
}
