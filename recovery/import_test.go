package recovery_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
)

func bcrypted(t *testing.T, code string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(code), bcrypt.MinCost)
	require.NoError(t, err)
	return string(h)
}

func argon2ed(code string) string {
	return "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + base64.RawStdEncoding.EncodeToString(
		argon2.IDKey([]byte(code), []byte("somesalt"), 1, 64, 1, 32))
}

func pbkdf2ed(t *testing.T, code string) string {
	t.Helper()
	key, err := pbkdf2.Key(sha256.New, code, []byte("a salt of 16 byte"), 1000, 32)
	require.NoError(t, err)
	return "pbkdf2_sha256$1000$a salt of 16 byte$" + base64.StdEncoding.EncodeToString(key)
}

func sha(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// importSet imports codes, and returns them as a set that tests respond to.
func importSet(t *testing.T, params map[string]string) (*set, *factor.EnrollOutput, error) {
	t.Helper()
	f, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(t, err)
	in := factor.EnrollInput{Imported: true, Params: map[string]secret.Text{}}
	for name, value := range params {
		in.Params[name] = secret.New(value)
	}
	out, err := f.Enroll(t.Context(), in)
	if err != nil {
		return nil, nil, err
	}
	return &set{Factor: f, state: out.State}, out, nil
}

// Each of two codes is accepted in the spellings given, once, and is gone when it was used.
func TestImport_AcceptsEachCodeOnce(t *testing.T) {
	for name, c := range map[string]struct {
		params        map[string]string
		first, second string
		renew         bool
	}{
		"plain": {map[string]string{"codes": "abcd-1234-efgh-5678-ijkl\nmnop-1234-qrst-5678-uvwx"},
			"ABCD1234efgh5678IJKL", " mnop 1234 qrst 5678 uvwx ", false},
		"plain, mixed case": {map[string]string{"codes": "aBcDeFgHiJ-kLmNoPqRsT\n" +
			"AAAAAAAAAA-bbbbbbbbbb"}, "aBcDeFgHiJkLmNoPqRsT", "AAAAAAAAAA-bbbbbbbbbb", false},
		"plain digits": {map[string]string{"codes": "12345678\n87654321"}, "1234 5678", "87654321",
			true},
		"bcrypt with a form": {map[string]string{"form": "xxxxx-xxxxx",
			"hashes": bcrypted(t, "abcde-fghi0") + "\n" + bcrypted(t, "zzzzz-zzzz1")},
			"ABCDE fghi0", "zzzzzzzzz1", true},
		"argon2id": {map[string]string{"hashes": argon2ed("abcde-fghi0") + "\n" +
			argon2ed("zzzzz-zzzz1")}, "abcde-fghi0", "zzzzz-zzzz1", true},
		"PBKDF2": {map[string]string{"hashes": pbkdf2ed(t, "abcde-fghi0") + "\n" +
			pbkdf2ed(t, "zzzzz-zzzz1")}, "abcde-fghi0", "zzzzz-zzzz1", true},
		"SHA-256 as shown": {map[string]string{"hashes": sha("a1 b2/c3") + "\n" + sha("x")},
			" a1 b2/c3", "x", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, out, err := importSet(t, c.params)
			require.NoError(t, err)
			require.Equal(t, c.renew, out.Renew)
			require.Equal(t, 2, s.Describe(s.state).Remaining)
			require.ErrorIs(t, s.try("not-a-code"), factor.ErrIncorrect)
			before := s.state
			require.NoError(t, s.try(c.first))
			require.Less(t, len(s.state), len(before), "its hash is gone")
			require.ErrorIs(t, s.try(c.first), factor.ErrIncorrect)
			require.Equal(t, 1, s.Describe(s.state).Remaining)
			require.NoError(t, s.try(c.second))
			require.ErrorIs(t, s.try(c.second), factor.ErrIncorrect)
			require.Zero(t, s.Describe(s.state).Remaining)
		})
	}
}

// A hash that this process cannot compute, as one with a short salt under FIPS 140 only, is refused
// when it is imported, and not at the sign-in.
func TestImport_RefusesWhatCannotBeComputed(t *testing.T) {
	const hash = "pbkdf2_sha256$1000$salt$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	_, err := pbkdf2.Key(sha256.New, "a code", []byte("salt"), 1000, 32)
	_, _, imported := importSet(t, map[string]string{"hashes": hash})
	require.Equal(t, err == nil, imported == nil, "%v, %v", err, imported)
}

// A form that forgives case would match two codes that differ in nothing else.
func TestImport_KeepsTheCaseOfMixedCodes(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"codes": "aBcDeFgH"})
	require.NoError(t, err)
	require.ErrorIs(t, s.try("abcdefgh"), factor.ErrIncorrect)
	require.NoError(t, s.try("aBcD-eFgH"))
}

// A user may type any separators or none, in any case where all codes have one.
func TestImport_ReadsTheFormOfItsCodes(t *testing.T) {
	for _, typed := range []string{"AB:CD_12~3Z", "abcd123z", "ab cd.12{3z", "AB[CD^123Z"} {
		s, _, err := importSet(t, map[string]string{"codes": "AB:CD_12~3Z\nAAAAAAAA"})
		require.NoError(t, err)
		require.NoError(t, s.try(typed), typed)
	}
	s, _, err := importSet(t, map[string]string{"codes": "abcd-1234", "form": "****-****"})
	require.NoError(t, err)
	require.ErrorIs(t, s.try("ABCD-1234"), factor.ErrIncorrect, "the form says that case matters")
	require.NoError(t, s.try("abcd1234"))
}

// A set with less than 64 bits a code is to be renewed.
func TestImport_RenewsWhatCanBeGuessed(t *testing.T) {
	for code, renew := range map[string]bool{
		strings.Repeat("7", 19): true, strings.Repeat("7", 20): false,
		strings.Repeat("7a", 6): true, strings.Repeat("7a", 6) + "7": false,
	} {
		_, out, err := importSet(t, map[string]string{"codes": code})
		require.NoError(t, err)
		require.Equal(t, renew, out.Renew, code)
	}
}

// A response is verified against all hashes within four seconds, about.
func TestImport_BoundsCountLengthAndCost(t *testing.T) {
	// half a second
	dear := "pbkdf2_sha256$2000000$a salt of 16 byte$" + strings.Repeat("YWJj", 8) + "\n"
	for name, c := range map[string]struct {
		params map[string]string
		want   string
	}{
		"both parameters": {map[string]string{"codes": "abcd-1234", "hashes": sha("x")}, ""},
		"sixteen":         {map[string]string{"hashes": strings.Repeat(sha("x")+"\n", 16)}, ""},
		"seventeen": {map[string]string{"hashes": strings.Repeat(sha("x")+"\n", 17)},
			"1 to 16 codes"},
		"seventeen in both": {map[string]string{"codes": "abcd-1234",
			"hashes": strings.Repeat(sha("x")+"\n", 16)}, "1 to 16 codes"},
		"four seconds": {map[string]string{"hashes": strings.Repeat(dear, 8)}, ""},
		"more": {map[string]string{"hashes": strings.Repeat(dear, 8) +
			strings.Replace(dear, "2000000", "1000", 1)}, "longer than 4s"},
		"a long form": {map[string]string{"hashes": sha("x"), "form": strings.Repeat("x", 64)}, ""},
		"one too long": {map[string]string{"hashes": sha("x"), "form": strings.Repeat("x", 65)},
			"all codes have one form"},
		"two forms": {map[string]string{"codes": "abcd-1234\nabcd12345"}, "form of the others"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := importSet(t, c.params)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, factor.ErrMalformed)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestImport_Refuses(t *testing.T) {
	dear := strings.Replace(bcrypted(t, "abcde-fghi0"), "$04$", "$13$", 1)
	for name, params := range map[string]map[string]string{
		"nothing":            {},
		"empty lines":        {"codes": " \n\n"},
		"seven characters":   {"codes": "abcd-123"},
		"a short form":       {"hashes": sha("x"), "form": "xxx"},
		"two forms":          {"codes": "abcd-1234\nabcd12345"},
		"no hash":            {"hashes": "abcde-fghij"},
		"SHA-1":              {"hashes": strings.Repeat("ab", 20)},
		"seventeen":          {"hashes": strings.Repeat(sha("x")+"\n", 17)},
		"hours of bcrypt":    {"hashes": strings.Repeat(dear+"\n", 10)},
		"a form of two rows": {"hashes": sha("x"), "form": "xxxxxxxx\nxxxxxxxx"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := importSet(t, params)
			require.ErrorIs(t, err, factor.ErrMalformed)
		})
	}
	f, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	_, err = f.Enroll(t.Context(), factor.EnrollInput{Imported: true,
		Params: map[string]secret.Text{"codes": secret.New("abcd-1234")}})
	require.ErrorIs(t, err, factor.ErrMalformed, "it would buy hash time without a count")
}

// Without Config.Imported a response is not counted before it is verified, so that a set of slow
// hashes is not verified at all.
func TestVerify_RefusesImportedSetsWithoutConfig(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"codes": "abcd-1234"})
	require.NoError(t, err)
	require.True(t, s.Traits().Expensive)
	other, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	require.False(t, other.Traits().Expensive)
	s.Factor = other
	err = s.try("abcd-1234")
	require.Error(t, err)
	require.NotErrorIs(t, err, factor.ErrIncorrect)
}

// Sets of this package are read in every spelling where imported ones are accepted, too.
func TestVerify_AcceptsOwnSetsBesideImportedOnes(t *testing.T) {
	s := newSet(t, recovery.Config{Imported: true})
	require.ErrorIs(t, s.try("UUUU"), factor.ErrIncorrect)
	require.NoError(t, s.try(strings.ToLower(strings.ReplaceAll(s.codes[0], "-", " "))))
	require.ErrorIs(t, s.try(s.codes[0]), factor.ErrReplayed)
	_, err := s.Normalize(strings.Repeat("a", 65))
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, err = s.Normalize(strings.Repeat("a", 64))
	require.NoError(t, err)
	_, err = s.Normalize(" ")
	require.ErrorIs(t, err, factor.ErrMalformed)
}

// A damaged state gives an error that is not "incorrect", and verifies nothing.
func TestVerify_RefusesDamagedImportedSets(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"codes": "abcd-1234"})
	require.NoError(t, err)
	s.state = append(s.state, "\nnot a hash"...)
	err = s.try("abcd-1234")
	require.Error(t, err)
	require.ErrorIs(t, err, factor.ErrMalformed)
	for _, damaged := range []string{"\x02", "\x02xxxx-xxxx", "\x02xxxx\xffxxxx\n" + sha("x")} {
		s.state = []byte(damaged)
		err = s.try("abcd-1234")
		require.Error(t, err, "%q", damaged)
		require.NotErrorIs(t, err, factor.ErrIncorrect, "%q", damaged)
	}
}

// A response that does not fit the form is no code, whatever the other system hashed.
func TestVerify_HashesNothingThatDoesNotFitTheForm(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"hashes": sha(""), "form": "xxxxxxxx"})
	require.NoError(t, err)
	require.ErrorIs(t, s.try("abc"), factor.ErrIncorrect)
}

// A hash that was not computed is no verdict.
func TestVerify_EndsWithItsContext(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"hashes": bcrypted(t, "abcd-1234")})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Verify(ctx, factor.VerifyInput{State: s.state, Response: secret.New("abcd-1234")})
	require.ErrorIs(t, err, context.Canceled)
}

func TestFactor_ConformsWithImportedSets(t *testing.T) {
	f, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(t, err)
	mfatest.FactorKit{Factor: importing{f}, Wrong: "abcd-1235",
		Params: map[string]secret.Text{"codes": secret.New("abcd-1234\nabcd-9999")},
		Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
			return "abcd-1234"
		}}.Run(t)
}

// importing enrols by importing, for the kit.
type importing struct{ *recovery.Factor }

func (f importing) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	in.Imported = true
	return f.Factor.Enroll(ctx, in)
}
