package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const output = `goos: linux
pkg: github.com/secondgate/secondgate/mfa
BenchmarkSignIn-2   	   10	     30000 ns/op	        24.0 times-bare	   45 allocs/op
BenchmarkSignIn-2   	   10	     30000 ns/op	        22.0 times-bare	   45 allocs/op
PASS
ok  	github.com/secondgate/secondgate/mfa	1.0s
pkg: github.com/secondgate/secondgate/internal/integration/manager
BenchmarkHTTP/workers=16-2 	 8	 0.50 api-of-floor	 25.4 api-p50-ms
`

func TestCompare_ReportsWhatIsWorseByMoreThanAFifth(t *testing.T) {
	const signIn, of = "mfa BenchmarkSignIn times-bare most ",
		"internal/integration/manager BenchmarkHTTP/workers=16 api-of-floor "
	const http, promised = of + "least ", of + "limit "
	for list, want := range map[string]string{
		signIn + "22":                         "",
		signIn + "18.4":                       "", // the best of two is compared
		signIn + "18.2":                       "is 22.00, and was 18.20",
		signIn + "90":                         "",
		http + "0.5":                          "",
		http + "0.62":                         "",
		http + "0.63":                         "is 0.50, and was 0.63",
		http + "0.1":                          "",
		promised + "0.5":                      "",
		promised + "0.51":                     "is 0.50, and was 0.51",
		"mfa BenchmarkGone times-bare most 1": "was not measured",
		"# a comment\n\n" + signIn + "22\n":   "",
	} {
		problems, err := compare(list, strings.NewReader(output))
		require.NoError(t, err, list)
		if want == "" {
			require.Empty(t, problems, list)
			continue
		}
		require.Len(t, problems, 1, list)
		require.Contains(t, problems[0], want)
	}
}

func TestCompare_ReportsFailures(t *testing.T) {
	problems, err := compare("", strings.NewReader(output+"FAIL\texample.com/x 1s\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"a benchmark failed"}, problems)
	for _, list := range []string{"mfa BenchmarkSignIn times-bare", "mfa BenchmarkX of-y least x",
		"mfa BenchmarkX of-y about 1"} {
		_, err := compare(list, strings.NewReader(output))
		require.Error(t, err, list)
	}
}

// The list that the repository keeps can be read.
func TestKept_IsAList(t *testing.T) {
	problems, err := compare(kept, strings.NewReader(""))
	require.NoError(t, err)
	require.NotEmpty(t, problems)
	for _, p := range problems {
		require.Contains(t, p, "was not measured")
	}
}
