package admin_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// document is the OpenAPI document as JSON.
type document m

func readDocument(t *testing.T) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal(admin.OpenAPI(), &d))
	require.Equal(t, "3.1.0", d["openapi"])
	return d
}

// at follows members of objects.
func at(v any, path ...string) any {
	for _, name := range path {
		o, ok := v.(m)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

func (d document) at(path ...string) any { return at(m(d), path...) }

// The document and the mux name the same operations, each with an ID of its own.
func TestOpenAPI_ListsEveryRoute(t *testing.T) {
	d := readDocument(t)
	var documented []string
	ids := map[any]bool{}
	for path, operations := range d.at("paths").(m) {
		for method, operation := range operations.(m) {
			documented = append(documented, strings.ToUpper(method)+" "+
				strings.TrimPrefix(path, "/api/"))
			id := at(operation, "operationId")
			require.False(t, id == nil || ids[id], path)
			ids[id] = true
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(routes)), documented)
	s := newSite(t)
	a := s.administrator("acme", "eve").api("GET", "openapi.json", nil).is(t, 200, "")
	require.Equal(t, string(admin.OpenAPI()), a.Text)
}

// Every reference leads somewhere, and everything is referred to.
func TestOpenAPI_ReferencesResolve(t *testing.T) {
	d := readDocument(t)
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case m:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(m(d))
	exists := map[string]bool{}
	for _, part := range []string{"schemas", "responses"} {
		for name := range d.at("components", part).(m) {
			exists["#/components/"+part+"/"+name] = true
		}
	}
	require.Equal(t, exists, used)
}

// check compares a response with what the document says of it.
func (d document) check(t *testing.T, a *response, method, path string) {
	t.Helper()
	r := d.at("paths", "/api/"+path, strings.ToLower(method), "responses",
		strconv.Itoa(a.StatusCode))
	require.NotNil(t, r, "%s %s: %d is not documented: %s", method, path, a.StatusCode, a.Text)
	if ref, ok := at(r, "$ref").(string); ok {
		r = d.at("components", "responses", strings.TrimPrefix(ref, "#/components/responses/"))
	}
	schema := at(r, "content", "application/json", "schema")
	require.NotNil(t, schema)
	require.NoError(t, d.valid(schema.(m), a.JSON, "$"), "%s %s: %s", method, path, a.Text)
}

// valid checks the part of JSON Schema that the document uses. A member that the schema does not
// name is an error.
func (d document) valid(schema m, v any, where string) error {
	if ref, ok := schema["$ref"].(string); ok {
		return d.valid(d.at("components", "schemas",
			strings.TrimPrefix(ref, "#/components/schemas/")).(m), v, where)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%s is %v, none of %v", where, v, enum)
	}
	switch schema["type"] {
	case "array":
		list, ok := v.([]any)
		for i, x := range list {
			if err := d.valid(schema["items"].(m), x, fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
		return mustBe(ok, where, "an array")
	case "string":
		_, ok := v.(string)
		return mustBe(ok, where, "a string")
	case "boolean":
		_, ok := v.(bool)
		return mustBe(ok, where, "a boolean")
	case "integer":
		n, ok := v.(float64)
		return mustBe(ok && n >= 0 && n == float64(int(n)), where, "an integer")
	case nil:
		if schema["allOf"] == nil {
			return nil // anything
		}
	}
	return d.validObject(schema, v, where)
}

func (d document) validObject(schema m, v any, where string) error {
	properties, required := d.members(schema)
	o, ok := v.(m)
	if err := mustBe(ok, where, "an object"); err != nil {
		return err
	}
	for _, name := range required {
		if _, ok := o[name.(string)]; !ok {
			return fmt.Errorf("%s lacks %s", where, name)
		}
	}
	additional, open := schema["additionalProperties"].(m)
	for name, x := range o {
		p, ok := properties[name].(m)
		switch {
		case !ok && open:
			p = additional
		case !ok && len(properties) > 0:
			return fmt.Errorf("%s.%s is not documented", where, name)
		}
		if err := d.valid(p, x, where+"."+name); err != nil {
			return err
		}
	}
	return nil
}

// members are the properties and the required members of an object, with those of allOf.
func (d document) members(schema m) (m, []any) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = d.at("components", "schemas",
			strings.TrimPrefix(ref, "#/components/schemas/")).(m)
	}
	properties := m{}
	own, _ := schema["properties"].(m)
	maps.Copy(properties, own)
	required, _ := schema["required"].([]any)
	required = slices.Clone(required)
	all, _ := schema["allOf"].([]any)
	for _, part := range all {
		p, r := d.members(part.(m))
		maps.Copy(properties, p)
		required = append(required, r...)
	}
	return properties, required
}

func mustBe(ok bool, where, what string) error {
	if !ok {
		return fmt.Errorf("%s is not %s", where, what)
	}
	return nil
}

// Real responses of every operation, accepted and refused, are as documented.
func TestOpenAPI_DescribesTheResponses(t *testing.T) {
	d := readDocument(t)
	left := len(routes)
	if brief.WithRace() {
		left = 5 // any
	}
	for route := range routes {
		if left--; left < 0 {
			break
		}
		method, path, _ := strings.Cut(route, " ")
		s, _, factorID := stage(t)
		visitor, eve := s.client(), s.administrator("acme", "eve")
		olivia := s.administrator("acme", "olivia")
		for _, c := range []*client{visitor, eve, olivia} {
			d.check(t, c.call(route, "anna", factorID), method, path)
		}
		if strings.Contains(route, "user") && path != "users" {
			d.check(t, olivia.call(route, "nobody", factorID), method, path)
			d.check(t, olivia.call(route, "olivia", factorID), method, path)
		}
		if method == "GET" {
			if path != "openapi.json" {
				d.check(t, olivia.api(method, path+"?tenant=%00", nil), method, path)
			}
			continue
		}
		d.check(t, olivia.api(method, path, "[]"), method, path)
		d.check(t, olivia.api(method, path, `{"reason":"`+strings.Repeat("x", 70_000)+`"}`),
			method, path)
		d.check(t, olivia.api(method, path, nil), method, path)
	}
}
