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
