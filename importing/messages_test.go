package importing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
)

// The error about a line says what to change, and quotes nothing that may be a secret.
func TestJSONLines_SayWhatIsNotAsDocumented(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for line, says := range map[string]string{
		`[{"id":"ann"}]`:             "line 2 is a JSON array; each line is one JSON object",
		`"` + key + `"`:              "line 2 is a JSON string; each line is one JSON object",
		`{"id":5}`:                   "line 2 has a JSON number in the field id, where a JSON string",
		`{"id":"ann","factors":{}}`:  "a JSON object in the field factors, where a JSON array",
		`{"id":"ann","not_moved":1}`: "a JSON number in the field not_moved, where a JSON array",
		`{"factors":[{"params":{"secret":1234567890123456}}]}`: "a JSON number in the field " +
			"factors.params, where a JSON string",
		`{"factors":[{"params":{"` + key + `":1}}]}`:     "in the field factors.params, where",
		`{"factors":[{"params":["` + key + `"]}]}`:       "where a JSON object is documented",
		`{"id":"ann","usertype":""}`:                     `line 2 has the unknown field "usertype"`,
		`{"id":"ann","` + key + `":""}`:                  "line 2 is not the JSON object that is",
		`{"id":"ann","users":99999999999999999999}`:      "in the field users, where",
		`{"id":"ann","factors":[{"kind":"` + key + `\u"`: "line 2 is not the JSON object that is",
	} {
		var ids []string
		var failed error
		for u, err := range importing.JSONLines(strings.NewReader(`{"id":"first"}` + "\n" + line +
			"\n")) {
			if err != nil {
				failed = err
				continue
			}
			ids = append(ids, u.ID)
		}
		require.ErrorContains(t, failed, says, line)
		require.NotRegexp(t, key+"|123456|999999", failed.Error())
		require.Equal(t, []string{"first"}, ids, line)
	}
}

// Spreadsheets and databases write tables with commas, semicolons or tabs, as their settings are.
// What is not between columns is a part of a field.
func TestCSV_KnowsWhatIsBetweenFields(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for text, id := range map[string]string{
		"id,secret,digits\r\na;nn," + key + ",6\r\n":                     "a;nn",
		"id;secret;digits\r\na,nn;" + key + ";6\r\n":                     "a,nn",
		"\xef\xbb\xbf\"id\";\"secret\";digits\r\n\"a;nn\";" + key + ";6": "a;nn",
		"id\tsecret\tdigits\na nn\t" + key + "\t6":                       "a nn",
		"x,y;id,secret,digits\n1,a nn," + key + ",6":                     "",
		"id;x,y;secret;digits\na nn;1;" + key + ";6":                     "",
	} {
		var got []importing.User
		var failed error
		for u, err := range importing.CSV(strings.NewReader(text), importing.Columns{ID: "id",
			Secret: "secret", Digits: "digits"}) {
			if err != nil {
				failed = err
				continue
			}
			got = append(got, u)
		}
		if id == "" {
			require.ErrorContains(t, failed, "the export cannot be read: ", text)
			require.Empty(t, got, text)
			continue
		}
		require.NoError(t, failed, text)
		require.Len(t, got, 1, text)
		require.Equal(t, id, got[0].ID, text)
		require.Equal(t, key, got[0].Factors[0].Params["secret"].Reveal(), text)
	}
}
