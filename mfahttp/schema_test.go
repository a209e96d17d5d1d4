package mfahttp_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/secondgate/secondgate/mfahttp"
)

// This file compares responses with the schemas of the document.

// contract is the document, read once.
var contract = sync.OnceValue(func() *document {
	var d document
	if err := json.Unmarshal(mfahttp.OpenAPI(), &d); err != nil {
		panic(err)
	}
	return &d
})

// documented returns the path of the document for a request to a site, and whether there is one.
func documented(a *response) (path string, ok bool) {
	path, ok = strings.CutPrefix(a.Request.URL.Path, "/mfa")
	for _, list := range []string{"/api/factors/", "/api/devices/"} {
		if strings.HasPrefix(path, list) && path != list {
			path = list + "{id}"
		}
	}
	_, known := contract().Paths[path][strings.ToLower(a.Request.Method)]
	return path, ok && known
}

// check compares a response with what the document says of it.
func (d *document) check(t *testing.T, a *response, path string) {
	t.Helper()
	op, ok := d.Paths[path][strings.ToLower(a.Request.Method)]
	if !ok {
		t.Fatalf("%s %s is not documented", a.Request.Method, path)
	}
	r, ok := op.Responses[strconv.Itoa(a.StatusCode)]
	if !ok {
		t.Fatalf("%s %s: %d is not documented: %s", a.Request.Method, path, a.StatusCode, a.Text)
	}
	c := r.Content
	if r.Ref != "" {
		c = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")].Content
	}
	if err := d.valid(c["application/json"].Schema, any(a.JSON), "$"); err != nil {
		t.Fatalf("%s %s: %v: %s", a.Request.Method, path, err, a.Text)
	}
}

// valid checks the part of JSON Schema that the document uses. Members that the schema
// does not name are an error here: a response may grow, but not without the document.
func (d *document) valid(schema m, v any, at string) error {
	schema, err := d.flat(schema)
	if err != nil {
		return err
	}
	if c, ok := schema["const"]; ok && c != v {
		return fmt.Errorf("%s is %v, not %v", at, v, c)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Errorf("%s is %v, none of %v", at, v, enum)
	}
	switch schema["type"] {
	case "object":
		o, ok := v.(m)
		if !ok {
			return fmt.Errorf("%s is no object", at)
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := o[name.(string)]; !ok {
				return fmt.Errorf("%s lacks %s", at, name)
			}
		}
		properties, open := schema["properties"].(m)
		for name, x := range o {
			p, ok := properties[name].(m)
			if !ok && open {
				return fmt.Errorf("%s.%s is not documented", at, name)
			}
			if err := d.valid(p, x, at+"."+name); err != nil {
				return err
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is no array", at)
		}
		for i, x := range list {
			if err := d.valid(schema["items"].(m), x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "string":
		if _, ok := v.(string); !ok {
			return fmt.Errorf("%s is no string", at)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return fmt.Errorf("%s is no boolean", at)
		}
	case "integer":
		n, ok := v.(float64)
		if least, bound := schema["minimum"].(float64); !ok || n != float64(int(n)) ||
			bound && n < least {
			return fmt.Errorf("%s is no such integer: %v", at, v)
		}
	}
	return nil
}

// flat resolves $ref and allOf.
func (d *document) flat(schema m) (m, error) {
	out := m{}
	for k, v := range schema {
		if k != "$ref" && k != "allOf" {
			out[k] = v
		}
	}
	merge := func(part m) error {
		part, err := d.flat(part)
		if err != nil {
			return err
		}
		for k, v := range part {
			switch was := out[k].(type) {
			case m:
				joined := maps.Clone(was)
				maps.Copy(joined, v.(m))
				out[k] = joined
			case []any:
				out[k] = append(slices.Clone(was), v.([]any)...)
			default:
				out[k] = v
			}
		}
		return nil
	}
	if ref, ok := schema["$ref"].(string); ok {
		s, ok := d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if !ok {
			return nil, fmt.Errorf("no %s", ref)
		}
		if err := merge(s); err != nil {
			return nil, err
		}
	}
	all, _ := schema["allOf"].([]any)
	for _, part := range all {
		if err := merge(part.(m)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
