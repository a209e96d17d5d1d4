package admin_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/seal"
)

func TestNew_SaysWhatIsInvalid(t *testing.T) {
	s := newSite(t)
	valid := admin.Config{Handler: s.h, Manager: s.m, Users: s.dir}
	for want, change := range map[string]func(c *admin.Config){
		"Handler":         func(c *admin.Config) { c.Handler = nil },
		"Manager":         func(c *admin.Config) { c.Manager = nil },
		"Users":           func(c *admin.Config) { c.Users = nil },
		"plain path":      func(c *admin.Config) { c.BasePath = "admin" },
		"inside of /mfa/": func(c *admin.Config) { c.BasePath = "/mfa/admin/" },
		"Config.Texts: ui: texts/nl.json:2: no page has a text": func(c *admin.Config) {
			c.Texts = fstest.MapFS{"texts/nl.json": {Data: []byte("{\n\"admin.al\": \"Alle\"}")}}
		},
	} {
		c := valid
		change(&c)
		_, err := admin.New(c)
		require.ErrorContains(t, err, want)
	}
	_, err := admin.New(valid)
	require.NoError(t, err)
}

// One overlay has the texts of these pages and of the others.
func TestNew_SharesAnOverlayWithThePages(t *testing.T) {
	s := newSite(t)
	overlay := fstest.MapFS{"texts/en.json": {Data: []byte(
		`{"admin.users": "Accounts", "admin.codes.one": "1", "cancel": "No"}`)}, "texts/nl.json": {Data: []byte(
		`{"cancel": "Nee", "kind.totp": "App", "error.title.too_large": "Te groot"}`)}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	_, err = mfahttp.New(mfahttp.Config{Manager: s.m, Keys: keys, LoginURL: "/login",
		HomeURL: "/home", Identify: s.identify, Templates: overlay})
	require.NoError(t, err)
	_, err = admin.New(admin.Config{Handler: s.h, Manager: s.m, Users: s.dir, Texts: overlay})
	require.NoError(t, err)
}

// Any application mounts the administration in three lines: those of mount, which the
// documentation shows, which this package compiles and which serve here.
func TestNew_IsMountedInThreeLines(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "example_test.go", nil, 0)
	require.NoError(t, err)
	lines := 0
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "mount" {
			lines = files.Position(f.Body.Rbrace).Line - files.Position(f.Body.Lbrace).Line - 1
		}
	}
	require.Equal(t, 3, lines)

	s := newSite(t)
	mux := http.NewServeMux()
	require.NoError(t, mount(mux, s.h, s.m, listOf{s.dir.users}))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	olivia := s.administrator("acme", "olivia")
	s.srv.URL, srv.URL = srv.URL, s.srv.URL // cookies are a host's, whatever its port
	defer func() { s.srv.URL, srv.URL = srv.URL, s.srv.URL }()
	olivia.has(olivia.page("", nil), 200, "Anna de Vries", "Olivia Berg")
}
