package recovery_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
)

// moved returns the set as another installation imports it, of what this one exports.
func (s *set) moved(t *testing.T, cfg recovery.Config) (*set, map[string]secret.Text) {
	t.Helper()
	params, err := s.ImportParams(s.state)
	require.NoError(t, err)
	f, err := recovery.New(cfg)
	require.NoError(t, err)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Imported: true, Params: params})
	require.NoError(t, err)
	require.Equal(t, "Recovery codes", out.Name)
	return &set{Factor: f, state: out.State, codes: s.codes}, params
}

// The codes that remain work once in another installation, and used ones do not come back.
func TestImportParams_MoveTheCodesThatRemain(t *testing.T) {
	s := newSet(t, recovery.Config{Count: 16})
	require.NoError(t, s.try(s.codes[0]))
	require.NoError(t, s.try(s.codes[9]))
	there, params := s.moved(t, recovery.Config{})
	require.Len(t, params, 1)
	require.Equal(t, 14, there.Describe(there.state).Remaining)
	for i, code := range s.codes {
		if i == 0 || i == 9 {
			require.ErrorIs(t, there.try(code), factor.ErrIncorrect)
			continue
		}
		require.NoError(t, there.try(code))
		require.ErrorIs(t, there.try(code), factor.ErrReplayed)
	}
	params, err := there.ImportParams(there.state)
	require.NoError(t, err)
	require.Nil(t, params, "none remain")

	whole, _ := newSet(t, recovery.Config{Count: 16}).moved(t, recovery.Config{})
	require.Equal(t, 16, whole.Describe(whole.state).Remaining)
}

// A set of another system moves on as it came, with its form.
func TestImportParams_MoveASetOfAnotherSystem(t *testing.T) {
	s, _, err := importSet(t, map[string]string{"codes": "abcd-1234-efgh\nijkl-5678-mnop"})
	require.NoError(t, err)
	require.NoError(t, s.try("abcd-1234-efgh"))
	there, params := s.moved(t, recovery.Config{Imported: true})
	require.Len(t, params, 2)
	require.NoError(t, there.try("IJKL 5678 mnop"))
	require.ErrorIs(t, there.try("abcd-1234-efgh"), factor.ErrIncorrect)
	params, err = there.ImportParams(there.state)
	require.NoError(t, err)
	require.Nil(t, params)
}

func TestImportParams_RefuseWhatIsNoState(t *testing.T) {
	s := newSet(t, recovery.Config{})
	for _, state := range [][]byte{nil, {}, {9}, s.state[:20], {2, 0xff}} {
		_, err := s.ImportParams(state)
		require.Error(t, err)
	}
}

// Hashes that an export did not write are refused: of two salts, of another length, or too many.
func TestImport_RefusesHashesThatNoExportWrote(t *testing.T) {
	s, other := newSet(t, recovery.Config{}), newSet(t, recovery.Config{})
	exported := func(s *set) []string {
		params, err := s.ImportParams(s.state)
		require.NoError(t, err)
		return strings.Split(params["hashes"].Reveal(), "\n")
	}
	lines, foreign := exported(s), exported(other)
	salt, hash, _ := strings.Cut(strings.TrimPrefix(lines[0], "$hmac-sha256$"), "$")
	part := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	many := slices.Concat(lines, lines)[:17]
	for name, bad := range map[string][]string{
		"two salts":           {lines[0], foreign[0]},
		"another salt second": {lines[0], strings.Replace(lines[1], salt, part(16), 1)},
		"no form second":      {lines[0], strings.TrimPrefix(lines[1], "$hmac-sha256$")},
		"no hash second":      {lines[0], "$hmac-sha256$" + salt},
		"short hash second":   {lines[0], "$hmac-sha256$" + salt + "$" + part(15)},
		"long salt second":    {lines[0], "$hmac-sha256$" + part(17) + "$" + hash},
		"hash no base64 2nd":  {lines[0], "$hmac-sha256$" + salt + "$" + hash + "!"},
		"salt no base64 2nd":  {lines[0], "$hmac-sha256$" + salt + "!$" + hash},
		"another form second": {lines[0], sha("x")},
		"no form":             {lines[0], "x" + lines[1]},
		"no hash":             {"$hmac-sha256$" + salt},
		"short salt":          {"$hmac-sha256$" + part(15) + "$" + hash},
		"long salt":           {"$hmac-sha256$" + part(17) + "$" + hash},
		"short hash":          {"$hmac-sha256$" + salt + "$" + part(15)},
		"long hash":           {"$hmac-sha256$" + salt + "$" + part(17)},
		"salt no base64":      {"$hmac-sha256$" + salt + "!$" + hash},
		"hash no base64":      {"$hmac-sha256$" + salt + "$" + hash + "!"},
		"too many":            many,
	} {
		_, _, err := importSet(t, map[string]string{"hashes": strings.Join(bad, "\n")})
		var problem *factor.Problem
		require.ErrorAs(t, err, &problem, name)
		require.Equal(t, "recovery_import", problem.Reason)
	}
	_, _, err := importSet(t, map[string]string{"hashes": strings.Join(many[:16], "\n")})
	require.NoError(t, err, "as many as there may be")
	_, _, err = importSet(t, map[string]string{"hashes": lines[0], "form": "xxxx-xxxx"})
	require.Error(t, err, "a set of this package has no form to state")
}
