package totp_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/totp"
)

// The seeds of RFC 6238 appendix B: as long as the hash's output, as in its reference code.
var seeds = map[totp.Algorithm][]byte{
	totp.SHA1:   []byte("12345678901234567890"),
	totp.SHA256: []byte("12345678901234567890123456789012"),
	totp.SHA512: []byte("1234567890123456789012345678901234567890123456789012345678901234"),
}

func newFactor(t testing.TB, change ...func(*totp.Config)) *totp.Factor {
	t.Helper()
	cfg := totp.Config{Issuer: "Acme"}
	for _, c := range change {
		c(&cfg)
	}
	f, err := totp.New(cfg)
	require.NoError(t, err)
	return f
}

func strict(c *totp.Config) { c.Strict = true }

// at judges a code.
func at(f *totp.Factor, state []byte, unix int64, code string) ([]byte, error) {
	return judge(f, factor.VerifyInput{State: state, Response: code, Now: time.Unix(unix, 0)})
}

func judge(f *totp.Factor, in factor.VerifyInput) ([]byte, error) {
	before := bytes.Clone(in.State)
	v, err := f.Verify(context.Background(), in)
	if !bytes.Equal(before, in.State) {
		return nil, errors.New("changed the state it was given")
	}
	if err != nil {
		return nil, err
	}
	return v.State, nil
}

// TestRFC4226 is appendix D: the codes of the counters 0 to 9.
func TestRFC4226(t *testing.T) {
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
	f := newFactor(t, strict)
	for counter, code := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		require.Equal(t, code, totp.Code(state, int64(counter)))
		next, err := at(f, state, int64(counter)*30, code)
		require.NoError(t, err)
		require.EqualValues(t, counter, totp.Last(next))
	}
}

// TestRFC6238 is appendix B, with the last column of six digits computed independently.
func TestRFC6238(t *testing.T) {
	for _, row := range []struct {
		unix                      int64
		sha1, sha256, sha512, six string
	}{
		{59, "94287082", "46119246", "90693936", "287082"},
		{1111111109, "07081804", "68084774", "25091201", "081804"},
		{1111111111, "14050471", "67062674", "99943326", "050471"},
		{1234567890, "89005924", "91819424", "93441116", "005924"},
		{2000000000, "69279037", "90698825", "38618901", "279037"},
		{20000000000, "65353130", "77737706", "47863826", "353130"},
	} {
		for a, code := range map[totp.Algorithm]string{totp.SHA1: row.sha1, totp.SHA256: row.sha256, totp.SHA512: row.sha512} {
			state := totp.State(seeds[a], a, 8, 30*time.Second, -1)
			next, err := at(newFactor(t, strict), state, row.unix, code)
			require.NoError(t, err, "%s at %d", a, row.unix)
			require.Equal(t, row.unix/30, totp.Last(next), "steps beyond 32 bits too")
		}
		_, err := at(newFactor(t, strict), totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1), row.unix, row.six)
		require.NoError(t, err)
	}
	// The table's one 20-byte seed is an erratum for the other hashes.
	require.Equal(t, "32247374", totp.Code(totp.State(seeds[totp.SHA1], totp.SHA256, 8, 30*time.Second, -1), 1))
	require.Equal(t, "69342147", totp.Code(totp.State(seeds[totp.SHA1], totp.SHA512, 8, 30*time.Second, -1), 1))
}

// The rows 2 and 3 of the RFC are steps next to each other.
func TestReplayAcrossSteps(t *testing.T) {
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 8, 30*time.Second, -1)
	f := newFactor(t)
	_, err := at(f, state, 1111111111, "07081804")
	require.NoError(t, err, "the step before is accepted")
	_, err = at(newFactor(t, strict), state, 1111111111, "07081804")
	require.ErrorIs(t, err, factor.ErrIncorrect)
	next, err := at(f, state, 1111111111, "14050471")
	require.NoError(t, err)
	_, err = at(f, next, 1111111111, "14050471")
	require.ErrorIs(t, err, factor.ErrReplayed)
	_, err = at(f, next, 1111111111, "07081804")
	require.ErrorIs(t, err, factor.ErrReplayed, "nor is an earlier step, after a later one")
}

// A code is accepted for ninety seconds: from the step before its own to the one after.
func TestNinetySeconds(t *testing.T) {
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
	const step = 50_000_000
	code, begins := totp.Code(state, step), time.Unix(step*30, 0)
	for _, c := range []struct {
		offset time.Duration
		ok     bool
	}{
		{-30*time.Second - time.Millisecond, false}, {-30 * time.Second, true}, {0, true}, {30 * time.Second, true},
		{60*time.Second - time.Millisecond, true}, {60 * time.Second, false}, {90 * time.Second, false},
	} {
		_, err := judge(newFactor(t), factor.VerifyInput{State: state, Response: code, Now: begins.Add(c.offset)})
		require.Equal(t, c.ok, err == nil, "%s: %v", c.offset, err)
	}
	for skew := -2; skew <= 2; skew++ {
		code := totp.Code(state, step+int64(skew))
		_, err := at(newFactor(t), state, step*30, code)
		require.Equal(t, skew >= -1 && skew <= 1, err == nil, skew)
		_, err = at(newFactor(t, strict), state, step*30, code)
		require.Equal(t, skew == 0, err == nil, skew)
	}
}

func TestEntryGrace(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.EntryGrace = 3 * time.Minute })
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
	const step = 50_000_000
	opened := time.Unix(step*30, 0)
	in := factor.VerifyInput{State: state, Response: totp.Code(state, step), Opened: opened}
	for after, ok := range map[time.Duration]bool{0: true, 3*time.Minute - time.Millisecond: true, 3 * time.Minute: false, time.Hour: false} {
		in.Now = opened.Add(after)
		_, err := judge(f, in)
		require.Equal(t, ok, err == nil, after)
	}
	in.Now = opened.Add(2 * time.Minute)
	next, err := judge(f, in)
	require.NoError(t, err)
	in.State = next
	_, err = judge(f, in)
	require.ErrorIs(t, err, factor.ErrReplayed, "grace is no second use")
	in.State, in.Response = totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, step+2), totp.Code(state, step)
	_, err = judge(f, in)
	require.ErrorIs(t, err, factor.ErrReplayed, "nor a way behind a step accepted before")
	in.State, in.Response = state, totp.Code(state, step-2)
	_, err = judge(f, in)
	require.ErrorIs(t, err, factor.ErrIncorrect, "what was old when the prompt opened stays old")
	in.Opened, in.Response, in.Now = opened.Add(time.Hour), totp.Code(state, step), opened.Add(2*time.Minute)
	_, err = judge(f, in)
	require.ErrorIs(t, err, factor.ErrIncorrect, "a prompt of the future gives no grace")
}

// twin is a step whose code is also that of the next one, for the seed of the RFC.
const twin = 910737

func TestEqualCodesInStepsNextToEachOther(t *testing.T) {
	state, step := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1), int64(twin)
	code, f := totp.Code(state, step), newFactor(t)
	require.Equal(t, code, totp.Code(state, step+1))
	used := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, step)
	next, err := at(f, used, (step+1)*30, code)
	require.NoError(t, err, "the earlier step was used; the later one was not")
	require.Equal(t, step+1, totp.Last(next))
	next, err = at(f, state, step*30, code)
	require.NoError(t, err)
	_, err = at(f, next, (step+1)*30, code)
	require.ErrorIs(t, err, factor.ErrReplayed, "the same digits do not work twice")
}

// Whatever codes come at whatever times, no step is accepted twice, and none before a
// later one.
func TestNoStepTwice(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.EntryGrace = time.Minute })
	rapid.Check(t, func(t *rapid.T) {
		state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
		last := int64(-1)
		for range rapid.IntRange(1, 30).Draw(t, "answers") {
			now := rapid.Int64Range(30*1000, 30*1010).Draw(t, "now")
			step := now/30 + rapid.Int64Range(-3, 3).Draw(t, "skew")
			next, err := judge(f, factor.VerifyInput{State: state, Response: totp.Code(state, step), Now: time.Unix(now, 0),
				Opened: time.Unix(now-rapid.Int64Range(0, 90).Draw(t, "open"), 0)})
			if err != nil {
				continue
			}
			if totp.Last(next) <= last {
				t.Fatalf("step %d after %d", totp.Last(next), last)
			}
			state, last = next, totp.Last(next)
		}
	})
}

func TestAnswers(t *testing.T) {
	f := newFactor(t)
	for in, want := range map[string]string{"123456": "123456", " 123 456 ": "123456", "123-456": "123456", "123\u00a0456": "123456", "12345678": "12345678"} {
		got, err := f.Normalize(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", " ", "abcdef", "12345a", "１２３４５６", "١٢٣٤٥٦", "123\x00456", "\xff", "+123456", "12345", "123456789", strings.Repeat("1", 1<<20)} {
		_, err := f.Normalize(in)
		require.ErrorIs(t, err, factor.ErrMalformed, "%.20q", in)
	}
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
	for _, unix := range []int64{-1 << 40, -1, 0, 1 << 40} {
		_, err := at(f, state, unix, "000001")
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
}

func enroll(t testing.TB, f *totp.Factor, in factor.EnrollInput) (*factor.EnrollOutput, *url.URL) {
	t.Helper()
	out, err := f.Enroll(t.Context(), in)
	require.NoError(t, err)
	u, err := url.Parse(out.Prompt.URI.Reveal())
	require.NoError(t, err)
	return out, u
}

func TestURI(t *testing.T) {
	for _, issuer := range []string{"Acme", "My Co", "A&B=C+D#", "Ünï", "100% real?/"} {
		f := newFactor(t, func(c *totp.Config) { c.Issuer = issuer })
		out, u := enroll(t, f, factor.EnrollInput{Person: factor.Person{ID: "42", Account: "ann+x&y=z@example.com"}})
		uri := out.Prompt.URI.Reveal()
		require.NotContains(t, uri, "+", "apps print a plus")
		require.Equal(t, "otpauth", u.Scheme)
		require.Equal(t, "totp", u.Host)
		require.Equal(t, "/"+issuer+":ann+x&y=z@example.com", u.Path)
		q := u.Query()
		require.Equal(t, url.Values{"secret": {out.Prompt.Secret.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}, q)
		require.NotContains(t, q.Get("secret"), "=")
		require.Len(t, q.Get("secret"), 32, "160 bits")
		k, err := otp.NewKeyFromURL(uri)
		require.NoError(t, err)
		require.Equal(t, issuer, k.Issuer())
		require.Equal(t, "ann+x&y=z@example.com", k.AccountName())
	}
	for a, n := range map[totp.Algorithm]int{totp.SHA256: 52, totp.SHA512: 103} {
		_, u := enroll(t, newFactor(t, func(c *totp.Config) { c.Algorithm, c.Digits = a, 8 }), factor.EnrollInput{Person: factor.Person{ID: "42"}})
		require.Len(t, u.Query().Get("secret"), n, "as long as the hash's output")
		require.Equal(t, a.String(), u.Query().Get("algorithm"))
		require.Equal(t, "8", u.Query().Get("digits"))
	}
}

// Apps overwrite an entry with the same issuer and account.
func TestLabelsAreUnique(t *testing.T) {
	f := newFactor(t)
	p := factor.Person{ID: "42", Account: "ann@example.com"}
	labels := map[string]bool{}
	var have []factor.Instance
	for _, name := range []string{"", "", "phone", "phone", "tablet: new", "tablet: new"} {
		out, u := enroll(t, f, factor.EnrollInput{Person: p, Name: name, Existing: have})
		require.Equal(t, 1, strings.Count(u.Path, ":"), u.Path)
		require.False(t, labels[u.Path], u.Path)
		labels[u.Path] = true
		have = append(have, factor.Instance{Name: "renamed since", State: out.State})
	}
	require.True(t, labels["/Acme:ann@example.com"])
	require.True(t, labels["/Acme:ann@example.com (phone)"])
	_, u := enroll(t, f, factor.EnrollInput{Person: factor.Person{ID: "4:2", Account: " :\n"}})
	require.Equal(t, "/Acme:4 2", u.Path)
}

func TestImport(t *testing.T) {
	f := newFactor(t)
	secret := "GEZD GNBV gy3t-QOJQ GEZDGNBVGY3TQOJQ======"
	out, u := enroll(t, f, factor.EnrollInput{Params: factor.Params{"secret": secret}, Person: factor.Person{ID: "42"}})
	require.Equal(t, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", u.Query().Get("secret"))
	_, err := at(f, out.State, 59, "287082")
	require.NoError(t, err)
	out, _ = enroll(t, f, factor.EnrollInput{Params: factor.Params{"secret": secret, "algorithm": "sha-256", "digits": "8", "period": "60"}, Person: factor.Person{ID: "42"}})
	require.Equal(t, "32247374", totp.Code(out.State, 1))

	problems := map[string]factor.Params{
		"short": {"secret": "GEZDGNBVGY3TQOJQ"}, "no base32": {"secret": "1!"}, "long": {"secret": strings.Repeat("A", 1000)},
		"digits": {"secret": secret, "digits": "5"}, "period": {"secret": secret, "period": "500"}, "algorithm": {"secret": secret, "algorithm": "MD5"},
		"no number": {"secret": secret, "digits": "six"}, "zero": {"secret": secret, "period": "0"}, "overflow": {"secret": secret, "period": "99999999999999999999"},
	}
	for name, p := range problems {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: p})
		require.ErrorIs(t, err, factor.ErrMalformed, name)
		require.NotContains(t, err.Error(), "GEZD")
	}
	_, err = f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"secret": secret}, Existing: []factor.Instance{{State: out.State}}})
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "secret_duplicate", p.Reason)
}

func TestEachSecretIsNew(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		out, _ := enroll(t, newFactor(t), factor.EnrollInput{Person: factor.Person{ID: "42"}})
		require.False(t, seen[out.Prompt.Secret.Reveal()])
		seen[out.Prompt.Secret.Reveal()] = true
		require.Len(t, out.State, 39)
	}
}

func TestRefusedConfigs(t *testing.T) {
	for name, change := range map[string]func(*totp.Config){
		"Issuer":         func(c *totp.Config) { c.Issuer = "" },
		"without a":      func(c *totp.Config) { c.Issuer = "A:B" },
		"printable":      func(c *totp.Config) { c.Issuer = "A\n" },
		"Digits is 5":    func(c *totp.Config) { c.Digits = 5 },
		"Digits is 9":    func(c *totp.Config) { c.Digits = 9 },
		"Period is 2m1s": func(c *totp.Config) { c.Period = 121 * time.Second },
		"Period is 1.5s": func(c *totp.Config) { c.Period = 1500 * time.Millisecond },
		"Algorithm":      func(c *totp.Config) { c.Algorithm = 3 },
		"EntryGrace":     func(c *totp.Config) { c.EntryGrace = 6 * time.Minute },
	} {
		cfg := totp.Config{Issuer: "Acme"}
		change(&cfg)
		_, err := totp.New(cfg)
		require.ErrorContains(t, err, name)
	}
}

// Under enforced FIPS 140-3, SHA1 codes would panic in the standard library.
func TestFIPS(t *testing.T) {
	if os.Getenv("TOTP_FIPS") == "1" {
		_, err := totp.New(totp.Config{Issuer: "Acme"})
		fmt.Println("SHA1:", err)
		f, err := totp.New(totp.Config{Issuer: "Acme", Algorithm: totp.SHA256})
		if err == nil {
			_, err = at(f, totp.State(seeds[totp.SHA256], totp.SHA256, 8, 30*time.Second, -1), 59, "46119246")
		}
		fmt.Println("SHA256:", err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFIPS$", "-test.v")
	cmd.Env = append(os.Environ(), "TOTP_FIPS=1", "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "SHA1: totp: FIPS 140-3 is enforced")
	require.Contains(t, string(out), "SHA256: <nil>")
}

func TestQR(t *testing.T) {
	uri := "otpauth://totp/Acme:ann@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&algorithm=SHA1&digits=6&period=30"
	image, err := totp.QRPNG(uri)
	require.NoError(t, err)
	cfg, err := png.DecodeConfig(bytes.NewReader(image))
	require.NoError(t, err)
	require.Zero(t, cfg.Width%8)
	svg, err := totp.QRSVG(uri)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal([]byte(svg), new(struct {
		XMLName xml.Name `xml:"svg"`
		Path    struct{} `xml:"path"`
	})))
	require.Equal(t, 1, strings.Count(svg, "<path"))
	require.Less(t, len(svg), 20_000)
	text, err := totp.QRTerminal(uri)
	require.NoError(t, err)
	require.Greater(t, strings.Count(text, "\n"), 20)
	for _, bad := range []string{"", strings.Repeat("x", 1025)} {
		_, err := totp.QRPNG(bad)
		require.Error(t, err)
		_, err = totp.QRSVG(bad)
		require.Error(t, err)
		_, err = totp.QRTerminal(bad)
		require.Error(t, err)
	}
}

func FuzzState(f *testing.F) {
	f.Add(totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := totp.Decode(b)
		if err == nil && !bytes.Equal(b, again) {
			t.Fatalf("%x became %x", b, again)
		}
		fac := newFactor(t)
		_, _ = at(fac, b, 1<<40, "123456")
	})
}

// BenchmarkVerify is beside pquerna's own validation, which remembers nothing: times-bare.
func BenchmarkVerify(b *testing.B) {
	f := newFactor(b)
	state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, 30*time.Second, -1)
	for b.Loop() {
		if _, err := at(f, state, 59, "287082"); err != nil {
			b.Fatal(err)
		}
	}
	ours, secret, start := b.Elapsed(), base32.StdEncoding.EncodeToString(seeds[totp.SHA1]), time.Now()
	for range b.N {
		ok, err := otptotp.ValidateCustom("000000", secret, time.Unix(59, 0), otptotp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix})
		if ok || err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ours)/float64(time.Since(start)), "times-bare")
}

func BenchmarkQR(b *testing.B) {
	uri := "otpauth://totp/Acme:ann@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme&algorithm=SHA1&digits=6&period=30"
	var terminal time.Duration
	start := time.Now()
	for range 20 {
		if _, err := totp.QRTerminal(uri); err != nil {
			b.Fatal(err)
		}
	}
	terminal = time.Since(start) / 20
	for name, draw := range map[string]func() error{
		"png": func() error { _, err := totp.QRPNG(uri); return err },
		"svg": func() error { _, err := totp.QRSVG(uri); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := draw(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(terminal), "times-terminal")
		})
	}
}

func ExampleNew() {
	f, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		panic(err)
	}
	code, _ := f.Normalize("287 082")
	fmt.Println(f.Kind(), code)
	// Output: totp 287082
}
