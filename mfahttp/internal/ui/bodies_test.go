package ui_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Bodies have our texts, with those of the application over them.
func TestBodies_HaveTextsInTheirLanguage(t *testing.T) {
	files := fstest.MapFS{
		"a.html": {Data: []byte(`{{t "admin.users"}} {{t "cancel"}} {{kind "totp"}} {{.}}`)},
	}
	overlay := fstest.MapFS{"texts/nl.json": {Data: []byte(`{"admin.code": "Anders {name}"}`)},
		"texts/sr.json": {Data: []byte(`{"cancel": "Otkaži"}`)}}
	b, err := ui.NewBodies(files, overlay, "admin.")
	require.NoError(t, err)
	for lang, want := range map[string]string{
		"en": "Users Cancel Authenticator app &lt;b&gt;",
		"nl": "Gebruikers Annuleren Authenticator\u2011app &lt;b&gt;",
		"sr": "Users Otkaži Authenticator app &lt;b&gt;",
		"xx": "Users Cancel Authenticator app &lt;b&gt;",
	} {
		got, err := b.Render(ui.Body{Lang: lang, Name: "a", Data: "<b>"})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	text, err := b.Text(ui.Body{Lang: "nl", Name: "admin.code", Data: "Ann"})
	require.NoError(t, err)
	require.Equal(t, "Anders Ann", text)
	_, err = b.Text(ui.Body{Lang: "en", Name: "none"})
	require.Error(t, err)
	_, err = b.Render(ui.Body{Lang: "en", Name: "none"})
	require.Error(t, err)
	files["b.html"] = &fstest.MapFile{Data: []byte(`{{nonsense}}`)}
	_, err = ui.NewBodies(files, nil, "admin.")
	require.ErrorContains(t, err, "b.html")
}

// Third-party kinds have the names and icons of their descriptions.
func TestBodies_NameDescribedKinds(t *testing.T) {
	files := fstest.MapFS{"a.html": {Data: []byte(`{{kind "badge"}} {{icon "badge"}}`)}}
	badge := ui.Kind{Kind: "badge", Files: fstest.MapFS{
		"texts/en.json": {Data: []byte(`{"name": "Door badge"}`)},
		"texts/nl.json": {Data: []byte(`{"name": "Toegangspas"}`)},
		"icon.svg": {Data: []byte(
			`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M1 2h3"/></svg>`)}}}
	b, err := ui.NewBodies(files, nil, "admin.", badge)
	require.NoError(t, err)
	for lang, name := range map[string]string{"en": "Door badge", "nl": "Toegangspas",
		"de": "Door badge"} {
		got, err := b.Render(ui.Body{Lang: lang, Name: "a"})
		require.NoError(t, err)
		require.Contains(t, string(got), name)
		require.Contains(t, string(got), "M1 2h3")
	}
	_, err = ui.NewBodies(files, nil, "admin.", ui.Kind{Kind: "badge"})
	require.ErrorContains(t, err, "Files")
}

// A text that begins like those of the bodies must be one of them. Others belong to the pages.
func TestBodies_RefuseUnknownTexts(t *testing.T) {
	overlay := fstest.MapFS{"texts/nl.json": {Data: []byte(
		"{\"cancel\": \"Nee\",\n\"own.go\": \"Ga\",\n\"admin.usrs\": \"Zoek\"}")}}
	_, err := ui.NewBodies(fstest.MapFS{}, overlay, "admin.")
	require.EqualError(t, err,
		`ui: texts/nl.json:3: no page has a text "admin.usrs"; did you mean admin.users?`)
	overlay["texts/nl.json"].Data = []byte(`{"own.go": "Ga", "admin.users": "Zoek"}`)
	_, err = ui.NewBodies(fstest.MapFS{}, overlay, "admin.")
	require.NoError(t, err)
}
