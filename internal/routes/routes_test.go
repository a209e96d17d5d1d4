package routes_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/routes"
)

func TestOf_FindsEveryPattern(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("a.go", `package a
const at = "/x/"
func f(mux *http.ServeMux, pattern string) {
	mux.HandleFunc("POST /login", nil)
	mux.Handle("GET "+at+"{id}", nil)
	mux.Handle(gate.URL(), nil)
	mux.Handle(pattern, nil)
	page("GET /admin", nil)
	other("POST /not", nil)
}`)
	write("a_test.go", `package a
func g() { mux.HandleFunc("POST /test", nil) }`)
	list, err := routes.Of(dir, "Handle", "HandleFunc", "page")
	require.NoError(t, err)
	require.Equal(t, []string{"GET /admin", "GET at{id}", "POST /login", "gate.URL()"}, list)
	_, err = routes.Of(dir, "Register")
	require.ErrorContains(t, err, "registers nothing")
	write("b.go", "no Go")
	_, err = routes.Of(dir, "Handle")
	require.Error(t, err)
}
