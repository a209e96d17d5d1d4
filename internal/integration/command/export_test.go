package command_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A user gets what is stored of them in full, without a secret, and the log says who read it.
func TestExport_WritesAUsersOwnData(t *testing.T) {
	engines(t, func(t *testing.T, o *operator) {
		o.moveIn("id,otp,codes", `ann,`+key+`,"abcd-1234-efgh-5678,ijkl-1234-mnop-5678"`)
		require.Error(t, o.verify("ann", "totp", "000000"))
		require.Equal(t, 2, o.run("export", "ann").code, "it needs an operator and a reason")

		r := o.does(act("export", "ann")...)
		var data struct {
			Format, UserID string
			Imported       string
			Factors        []struct {
				Kind      string
				Remaining *int
			}
			Failed map[string]int `json:"failed_attempts"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.out), &data))
		require.Equal(t, "secondgate personal data 1", data.Format)
		require.NotEmpty(t, data.Imported)
		require.Len(t, data.Factors, 2)
		require.Equal(t, 2, *data.Factors[1].Remaining)
		require.Equal(t, map[string]int{"totp": 1}, data.Failed)
		require.NotContains(t, r.out, key)
		require.NotContains(t, r.out, "abcd")
		require.Contains(t, r.messages, `"msg":"admin.personal-data"`)
		require.Contains(t, r.messages, `"actor":"carol"`)
		require.Contains(t, o.run(act("export", "bob")...).messages, "no record")
	})
}
