package importing_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
)

// The error about a line says what to change, and quotes nothing that may be a secret.
func TestJSONLines_SayWhatIsNotAsDocumented(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for line, says := range map[string]string{
		`[{"id":"ann"}]`:             "line 2 is a JSON array; each line is one JSON object",
		`"` + key + `"`:              "line 2 is a JSON string; each line is one JSON object",
		`{"id":5}`:                   "line 2 has a JSON number in the field id",
		`{"id":"ann","factors":{}}`:  "a JSON object in the field factors",
		`{"id":"ann","not_moved":1}`: "a JSON number in the field not_moved",
		`{"factors":[{"params":{"secret":1234567890123456}}]}`: "a JSON number in the field " +
			"factors.params",
		`{"factors":[{"params":{"` + key + `":1}}]}`:     "in the field factors.params, which",
		`{"factors":[{"params":["` + key + `"]}]}`:       "a JSON array in the field factors.params, which",
		`{"id":"ann","usertype":""}`:                     `line 2 has the unknown field "usertype"`,
		`{"id":"ann","` + key + `":""}`:                  "line 2 is not the JSON object that is",
		`{"id":"ann","users":99999999999999999999}`:      "in the field users, which",
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

// waits is the rest of a pipe to which nothing is written.
type waits struct{ t *testing.T }

func (w waits) Read([]byte) (int, error) {
	w.t.Fatal("the import waits for more")
	return 0, io.EOF
}

// A table that is written while it is read, such as a pipe, yields each user at once.
func TestCSV_WaitsForNoSecondUser(t *testing.T) {
	text := strings.NewReader("id;secret\nann;GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n")
	for u, err := range importing.CSV(io.MultiReader(text, waits{t}),
		importing.Columns{ID: "id", Secret: "secret"}) {
		require.NoError(t, err)
		require.Equal(t, "ann", u.ID)
		break
	}
}

// A file gives an error once, as one on another machine may, and goes on. The import does not.
func TestUsers_EndAtAnErrorThatIsGivenOnce(t *testing.T) {
	for _, s := range samples() {
		text := s.text(t)
		_, ended := s.read(iotest.TimeoutReader(io.MultiReader(strings.NewReader(text[:10]),
			strings.NewReader(text[10:]))))
		require.ErrorIs(t, ended, iotest.ErrTimeout, s.name)
	}
}
