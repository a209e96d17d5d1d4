package mfa_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

const (
	printedSecret = "hush-8172635"
	printedToken  = "sealed-9182734" // the stored form of what may be stored
)

// fill puts the secret into every string of a type that may hold one.
func fill(v reflect.Value) {
	switch t := v.Type(); {
	case t == reflect.TypeFor[secret.Text]():
		v.Set(reflect.ValueOf(secret.New(printedSecret)))
	case t == reflect.TypeFor[map[string]secret.Text]():
		v.Set(reflect.ValueOf(map[string]secret.Text{"pin": secret.New(printedSecret)}))
	case t == reflect.TypeFor[mfa.Grant]():
		v.Set(reflect.ValueOf(grantOf(secret.New(printedToken))))
	case v.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), "github.com/secondgate/"):
		if stored, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := stored.UnmarshalText([]byte(printedToken)); err != nil {
				panic(err)
			}
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case v.Kind() == reflect.Pointer && v.CanSet() && t.Elem().Kind() == reflect.Struct:
		if strings.HasPrefix(t.Elem().PkgPath(), "github.com/secondgate/") {
			v.Set(reflect.New(t.Elem()))
			fill(v.Elem())
		}
	case v.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[secret.Text]():
		v.Set(reflect.ValueOf([]secret.Text{secret.New(printedSecret)}))
	}
}

// No verb, and no struct of the application around it, makes a value print its secrets.
func TestPrint_NoVerbShowsASecret(t *testing.T) {
	r := newRig(t)
	bea := mfa.User{ID: "bea"}
	session := r.Session(bea, printedToken).OnDevice(secret.New(printedSecret))
	actor := session.Actor(grantOf(secret.New(printedToken)))
	admin, anyone := r.Admin(actor, "why"), r.Passwordless(printedToken)
	values := []any{new(mfa.Challenge), new(mfa.Delivery), new(mfa.Verification),
		new(mfa.EnrollRequest), new(mfa.Enrollment), new(mfa.Confirmation), new(mfa.Grant),
		new(mfa.EnrollmentRequiredError), &session, &actor, &admin, &anyone}
	listed := map[string]bool{}
	for _, v := range values {
		listed[reflect.TypeOf(v).Elem().Name()] = true
		elem := reflect.ValueOf(v).Elem()
		fill(elem)
		requireHidden(t, v)
		if _, err := v.(error); !err {
			requireHidden(t, elem.Interface())
		}
	}
	requireHidden(t, secret.New(printedSecret))
	require.Contains(t, fmt.Sprintf("%+v", admin), "bea")
	require.Contains(t, fmt.Sprintf("%+v", &mfa.Verification{UserID: "ann"}), "UserID:ann")
	for _, name := range structsWithSecrets(t) {
		require.True(t, listed[name], "mfa.%s holds a secret, and is not in the test", name)
	}
}

func requireHidden(t *testing.T, v any) {
	t.Helper()
	type exported struct{ Inner any }
	type hidden struct{ inner any } // which package fmt cannot call methods on
	pointer := reflect.New(reflect.TypeOf(v))
	pointer.Elem().Set(reflect.ValueOf(v))
	field := reflect.StructField{Name: "V", Type: reflect.TypeOf(v)}
	typed := reflect.New(reflect.StructOf([]reflect.StructField{field})).Elem()
	typed.Field(0).Set(reflect.ValueOf(v))
	all := []any{v, exported{v}, hidden{v}, []any{v}, map[string]any{"v": v}, typed.Interface(),
		pointer.Interface()}
	for _, in := range all {
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %T %z") {
			requireNeither(t, fmt.Sprintf(verb, in), "%s of %T", verb, v)
		}
		if j, err := json.Marshal(in); err == nil {
			require.NotContains(t, string(j), printedSecret, "JSON of %T", v)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "v", in)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("JSON", "v", in)
		require.NotContains(t, log.String(), printedSecret, "log of %T", v)
	}
	var log strings.Builder
	logEverywhere(&log, v)
	require.NotEmpty(t, log.String())
	requireNeither(t, log.String(), "log of %T", v)
}

func requireNeither(t *testing.T, printed string, about ...any) {
	t.Helper()
	for _, hidden := range []string{printedSecret, printedToken} {
		require.NotContains(t, printed, hidden, about...)
		require.NotContains(t, strings.ToLower(printed), fmt.Sprintf("%x", hidden), about...)
	}
}

// logEverywhere logs a value by each handler of the standard library, in every way in which a
// value is logged.
func logEverywhere(w io.Writer, v any) {
	for _, h := range []slog.Handler{slog.NewTextHandler(w, nil), slog.NewJSONHandler(w, nil)} {
		l := slog.New(h)
		l.Info("value", "v", v)
		l.With("v", v).WithGroup("g").Info("value", slog.Group("h", "v", v))
	}
}

// structsWithSecrets lists the exported structs of the package that hold a token, a secret or a
// prompt.
func structsWithSecrets(t *testing.T) (names []string) {
	t.Helper()
	hidden := map[string]bool{"Text": true, "Prompt": true, "Grant": true, "kept": true,
		"Session": true, "Actor": true}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					ast.Inspect(field.Type, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok && hidden[id.Name] {
							names = append(names, spec.Name.Name)
						}
						return true
					})
				}
			}
			return false
		})
	}
	require.Greater(t, len(names), 10)
	return names
}
