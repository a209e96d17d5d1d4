package javascript_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// schema is a schema of the OpenAPI document.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Enum       []string
	Items      *schema
	Required   []string
	Properties map[string]schema
	AllOf      []schema
}

// body is a request or a response with JSON.
type body struct {
	Content map[string]struct{ Schema schema }
}

func (b body) name() string { return last(b.Content["application/json"].Schema.Ref) }

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// api is the OpenAPI document of the JSON API.
type api struct {
	Paths map[string]map[string]struct {
		RequestBody body
		Responses   map[string]body
	}
	Components struct{ Schemas map[string]schema }
}

func readAPI(t *testing.T) (a api) {
	t.Helper()
	require.NoError(t, json.Unmarshal(mfahttp.OpenAPI(), &a))
	require.Greater(t, len(a.Components.Schemas), 20)
	return a
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(modules + "/" + name)
	require.NoError(t, err)
	return string(text)
}

// member is a property as TypeScript declares it.
type member struct {
	optional bool
	is       string
}

var (
	anInterface = regexp.MustCompile(`(?ms)^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}$`)
	aMember     = regexp.MustCompile(`(?m)^  (\w+)(\??): (.+);$`)
)

// interfaces returns those of client.d.ts with their members, and which take any more.
func interfaces(t *testing.T) (all map[string]map[string]member, open map[string]bool) {
	t.Helper()
	all, open = map[string]map[string]member{}, map[string]bool{}
	for _, m := range anInterface.FindAllStringSubmatch(read(t, "client.d.ts"), -1) {
		members := maps.Clone(all[m[2]]) // declared before
		if members == nil {
			members = map[string]member{}
		}
		for _, f := range aMember.FindAllStringSubmatch(m[3], -1) {
			is := f[3]
			if f[2] != "" {
				is = strings.TrimSuffix(is, " | undefined")
			}
			members[f[1]] = member{f[2] != "", is}
		}
		all[m[1]], open[m[1]] = members, strings.Contains(m[3], "  [parameter: string]")
	}
	return all, open
}

// members returns the properties of a schema, as TypeScript would declare them.
func (a api) members(s schema) map[string]member {
	all := map[string]member{}
	for _, part := range s.AllOf {
		if part.Ref != "" {
			part = a.Components.Schemas[last(part.Ref)]
		}
		maps.Copy(all, a.members(part))
	}
	for name, p := range s.Properties {
		all[name] = member{!slices.Contains(s.Required, name), p.typeScript()}
	}
	return all
}

func (s schema) typeScript() string {
	switch {
	case s.Ref != "":
		return last(s.Ref)
	case len(s.Enum) > 0:
		return `"` + strings.Join(s.Enum, `" | "`) + `"`
	case s.Type == "array":
		return s.Items.typeScript() + "[]"
	case s.Type == "integer":
		return "number"
	case s.Type == "":
		return "any"
	}
	return s.Type
}

// narrower are members whose type the declarations know better than the document.
var narrower = map[string]string{
	"VerifyRequest.code":         "string | Assertion",
	"UnlockRequest.code":         "string | Assertion",
	"PasswordlessAnswer.code":    "string | Assertion",
	"ConfirmRequest.code":        "string | Registration",
	"PasswordlessChallenge.data": "RequestOptions",
}

// The declarations have each schema of the document under its name, with the same members.
func TestDeclarations_HaveTheSchemasOfTheAPI(t *testing.T) {
	a := readAPI(t)
	declared, open := interfaces(t)
	for name, s := range a.Components.Schemas {
		switch {
		case name == "Error": // ApiError
			continue
		case len(s.Enum) > 0:
			require.Contains(t, read(t, "client.d.ts"),
				fmt.Sprintf("export type %s = %s;\n", name, s.typeScript()))
			continue
		}
		require.Contains(t, declared, name)
		want := a.members(s)
		for property, m := range want {
			if is, ok := narrower[name+"."+property]; ok {
				m.is = is
				want[property] = m
			}
			if _, ok := declared[name][property]; !ok && open[name] {
				delete(want, property)
			}
		}
		require.Equal(t, want, declared[name], name)
	}
}

// The client has one method for each operation of the document, and declares its request and its
// response.
func TestClient_HasEachOperationOfTheAPI(t *testing.T) {
	a := readAPI(t)
	call := regexp.MustCompile(
		"(?ms)^  (?:async )?(\\w+)\\(([^)]*)\\) \\{\n    return this\\.#(get|post|request)\\(" +
			"(?:\"(\\w+)\", )?[\"`]([^\"`]+)[\"`]")
	declaration := regexp.MustCompile(
		`(?m)^  (\w+)\((?:request\??: ([\w &]+), )?init\?: CallInit\): Promise<(\w+)>;$`)
	types := map[string][]string{}
	for _, m := range declaration.FindAllStringSubmatch(read(t, "client.d.ts"), -1) {
		types[m[1]] = m[2:]
	}
	var have []string
	for _, m := range call.FindAllStringSubmatch(read(t, "client.js"), -1) {
		method := m[4]
		if m[3] != "request" {
			method = strings.ToUpper(m[3])
		}
		path := "/api/" + strings.ReplaceAll(m[5], "${segment(id)}", "{id}")
		have = append(have, method+" "+path)
		op, ok := a.Paths[path][strings.ToLower(method)]
		require.True(t, ok, "%s is no operation: %s %s", m[1], method, path)
		request := op.RequestBody.name()
		if strings.Contains(path, "{id}") {
			request = strings.TrimSuffix("Identified & "+request, " & ")
		}
		require.Equal(t, []string{request, op.Responses["200"].name()}, types[m[1]], m[1])
	}
	var want []string
	for path, operations := range a.Paths {
		for method := range operations {
			if path != "/api/openapi.json" {
				want = append(want, strings.ToUpper(method)+" "+path)
			}
		}
	}
	require.ElementsMatch(t, want, have)
}
