package mfahttp_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// An application replaces a page, a text and a colour, and New finds a mistake in them.
func Example_templates() {
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	manager, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{app{}}})
	identify := func(*http.Request) (mfahttp.Identity, error) { return mfahttp.Identity{}, nil }

	_, err := mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys, Identify: identify,
		Templates: os.DirFS("testdata/templates")})
	fmt.Println(err)

	_, err = mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys, Identify: identify,
		Templates: fstest.MapFS{"brand.html": {Data: []byte("<b>\n{{.Produkt}}</b>")}}})
	fmt.Println(err.Error()[:71])
	// Output:
	// <nil>
	// mfahttp: Config.Templates: ui: brand.html:2: no field Produkt on Head;
}

// A text about a kind is for a factor of the Manager.
func TestTemplates_RefuseTextsAboutUnknownKinds(t *testing.T) {
	s := newSite(t, nil)
	_, err := mfahttp.New(mfahttp.Config{Manager: s.m, Session: s,
		Identify: func(*http.Request) (mfahttp.Identity, error) { return mfahttp.Identity{}, nil },
		Templates: fstest.MapFS{"texts/en.json": {
			Data: []byte("{\n\"kind.pigeon\": \"Pigeon\"}")}}})
	require.ErrorContains(t, err, `mfahttp: Config.Templates: ui: texts/en.json:2: there is no `+
		`factor of the kind "pigeon"; the kinds are `)
}
