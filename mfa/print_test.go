package mfa_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

const printedSecret = "hush-8172635"

// fill puts the secret into every string of a type that may hold one.
func fill(v reflect.Value) {
	switch t := v.Type(); {
	case t == reflect.TypeFor[factor.Secret]():
		v.Set(reflect.ValueOf(factor.NewSecret(printedSecret)))
	case t == reflect.TypeFor[map[string]factor.Secret]():
		v.Set(reflect.ValueOf(map[string]factor.Secret{"pin": factor.NewSecret(printedSecret)}))
	case v.Kind() == reflect.Struct && strings.HasPrefix(t.PkgPath(), "github.com/secondgate/"):
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
	case v.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[factor.Secret]():
		v.Set(reflect.ValueOf([]factor.Secret{factor.NewSecret(printedSecret)}))
	}
}

// No verb, and no struct of the application around it, makes a value print its secrets.
func TestPrint_NoVerbShowsASecret(t *testing.T) {
	values := []any{new(mfa.BeginRequest), new(mfa.Challenge), new(mfa.SendRequest),
		new(mfa.Delivery), new(mfa.VerifyRequest), new(mfa.Verification), new(mfa.EnrollRequest),
		new(mfa.Enrollment), new(mfa.ConfirmRequest), new(mfa.Confirmation), new(mfa.IssueRequest),
		new(mfa.PasswordlessChallenge), new(mfa.PasswordlessRequest), new(mfa.SetupRequest),
		new(mfa.SupportRequest), new(mfa.EnrollmentRequiredError)}
	listed := map[string]bool{"Actor": true}
	for _, v := range values {
		listed[reflect.TypeOf(v).Elem().Name()] = true
		elem := reflect.ValueOf(v).Elem()
		fill(elem)
		requireHidden(t, v)
		if _, err := v.(error); !err {
			requireHidden(t, elem.Interface())
		}
	}
	for _, v := range []any{factor.NewSecret(printedSecret),
		mfa.Grant{Secret: factor.NewSecret(printedSecret)}} {
		requireHidden(t, v)
	}
	actor := mfa.UserActor(bea, mfa.Grant{Secret: factor.NewSecret(printedSecret)}, "session")
	requireHidden(t, actor)
	requireHidden(t, mfa.AdminRequest{Actor: actor})
	require.Contains(t, fmt.Sprintf("%+v", mfa.AdminRequest{Actor: actor}), "bea")
	require.Contains(t, fmt.Sprintf("%+v", &mfa.Verification{SubjectID: "ann"}), "SubjectID:ann")
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
			got := fmt.Sprintf(verb, in)
			require.NotContains(t, got, printedSecret, "%s of %T", verb, v)
			hex := fmt.Sprintf("%x", printedSecret)
			require.NotContains(t, strings.ToLower(got), hex, "%s of %T", verb, v)
		}
		if j, err := json.Marshal(in); err == nil {
			require.NotContains(t, string(j), printedSecret, "JSON of %T", v)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "v", in)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("JSON", "v", in)
		require.NotContains(t, log.String(), printedSecret, "log of %T", v)
	}
}

// structsWithSecrets lists the exported structs of the package that hold a token, a secret or a
// prompt.
func structsWithSecrets(t *testing.T) (names []string) {
	t.Helper()
	secret := map[string]bool{"Secret": true, "Prompt": true, "Params": true, "Grant": true,
		"ChallengeToken": true, "EnrollmentToken": true, "LinkToken": true, "DeviceToken": true}
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
					if len(field.Names) == 0 {
						continue // a token itself
					}
					name, _ := field.Type.(*ast.Ident)
					if sel, ok := field.Type.(*ast.SelectorExpr); ok {
						name = sel.Sel
					}
					if name != nil && secret[name.Name] {
						names = append(names, spec.Name.Name)
					}
				}
			}
			return false
		})
	}
	require.Greater(t, len(names), 10)
	return names
}
