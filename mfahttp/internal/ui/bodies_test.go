package ui_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Bodies have the texts of their own files beside ours, with those of the application over both.
func TestBodies_JoinTexts(t *testing.T) {
	files := fstest.MapFS{
		"a.html":        {Data: []byte(`{{t "own"}} {{t "cancel"}} {{kind "totp"}} {{.}}`)},
		"texts/en.json": {Data: []byte("{\"own\": \"Own {name}\"}\n")},
		"texts/nl.json": {Data: []byte(`{"own": "Eigen {name}"}`)},
		"texts/nb.json": {Data: []byte(`{"own": "Egen"}`)},
		"texts/de.json": {Data: []byte(`{"own": "Eigene"}`)},
	}
	overlay := fstest.MapFS{"texts/nl.json": {Data: []byte(`{"own": "Anders {name}"}`)},
		"texts/fr.json": {Data: []byte(`{"cancel": "Annuler"}`)}}
	b, err := ui.NewBodies(files, overlay)
	require.NoError(t, err)
	for lang, want := range map[string]string{
		"en": "Own {name} Cancel Authenticator app &lt;b&gt;",
		"fr": "Own {name} Annuler Authenticator app &lt;b&gt;",
		"xx": "Own {name} Cancel Authenticator app &lt;b&gt;",
	} {
		got, err := b.Render(ui.Body{Lang: lang, Name: "a", Data: "<b>"})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	text, err := b.Text(ui.Body{Lang: "nl", Name: "own", Data: "Ann"})
	require.NoError(t, err)
	require.Equal(t, "Anders Ann", text)
	_, err = b.Text(ui.Body{Lang: "en", Name: "none"})
	require.Error(t, err)
	_, err = b.Render(ui.Body{Lang: "en", Name: "none"})
	require.Error(t, err)
	files["b.html"] = &fstest.MapFile{Data: []byte(`{{nonsense}}`)}
	_, err = ui.NewBodies(files, nil)
	require.ErrorContains(t, err, "b.html")
}

// A text that begins like those of the bodies must be one of them. Others belong to the pages.
func TestBodies_RefuseUnknownTexts(t *testing.T) {
	files := fstest.MapFS{"texts/en.json": {Data: []byte(`{"admin.find": "Find"}`)}}
	for _, lang := range []string{"nl", "nb", "de"} {
		files["texts/"+lang+".json"] = files["texts/en.json"]
	}
	overlay := fstest.MapFS{"texts/nl.json": {Data: []byte(
		"{\"cancel\": \"Nee\",\n\"own.go\": \"Ga\",\n\"admin.fnd\": \"Zoek\"}")}}
	_, err := ui.NewBodies(files, overlay)
	require.EqualError(t, err,
		`ui: texts/nl.json:3: no page has a text "admin.fnd"; did you mean admin.find?`)
	overlay["texts/nl.json"].Data = []byte(`{"own.go": "Ga", "admin.find": "Zoek"}`)
	_, err = ui.NewBodies(files, overlay)
	require.NoError(t, err)
}
