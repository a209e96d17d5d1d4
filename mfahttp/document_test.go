package mfahttp_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// Each operation says what it does, and each response has an example that its schema accepts.
func TestOpenAPI_HasExamplesAndDescriptions(t *testing.T) {
	d := readDocument(t)
	var all struct {
		Tags  []struct{ Name string }
		Paths map[string]map[string]struct {
			OperationID, Summary, Description string
			Tags                              []string
			Responses                         map[string]struct {
				Content map[string]struct{ Schema, Example m }
			}
		}
		Components struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema, Example m }
			}
		}
	}
	must(t, json.Unmarshal(mfahttp.OpenAPI(), &all))
	ids, tags := map[string]bool{}, map[string]bool{}
	for _, tag := range all.Tags {
		tags[tag.Name] = true
	}
	for path, operations := range all.Paths {
		for method, o := range operations {
			at := method + " " + path
			require.NotEmpty(t, o.Summary, at)
			require.NotEmpty(t, o.Description, at)
			require.Len(t, o.Tags, 1, at)
			require.True(t, tags[o.Tags[0]], at)
			require.False(t, ids[o.OperationID], at)
			ids[o.OperationID] = true
			statuses := []string{"503"}
			if method != "get" { // from another origin, too large, or of another media type
				statuses = append(statuses, "400", "403", "413", "415")
			}
			for _, status := range statuses {
				require.Contains(t, o.Responses, status, at)
			}
			c := o.Responses["200"].Content["application/json"]
			require.NotNil(t, c.Example, at)
			require.NoError(t, d.valid(c.Schema, any(c.Example), "$"), at)
		}
	}
	for name, r := range all.Components.Responses {
		c := r.Content["application/json"]
		require.NotNil(t, c.Example, name)
		require.NoError(t, d.valid(c.Schema, any(c.Example), "$"), name)
	}
}

// times are the members that are times. All are RFC 3339.
var times = []string{"created", "enroll_by", "expires", "held_until", "last_used", "time", "until"}

// A member that is a duration is an integer of seconds, and says so; all other integers are
// numbers of things. A member that is a time is RFC 3339.
func TestOpenAPI_StatesUnits(t *testing.T) {
	var found []string
	var walk func(name string, schema m)
	walk = func(name string, schema m) {
		text, _ := schema["description"].(string)
		switch {
		case schema["type"] == "integer":
			require.Regexp(t, `(^|[^a-z])[Ss]econds |^A number of `, text, name)
		case schema["format"] == "date-time":
			found = append(found, name)
		case slices.Contains(times, name):
			t.Errorf("%s is a time, and its format is not date-time", name)
		}
		properties, _ := schema["properties"].(m)
		for name, p := range properties {
			walk(name, p.(m))
		}
		for _, list := range []string{"allOf", "anyOf", "oneOf"} {
			parts, _ := schema[list].([]any)
			for _, p := range parts {
				walk(name, p.(m))
			}
		}
		if items, ok := schema["items"].(m); ok {
			walk(name, items)
		}
	}
	for name, schema := range readDocument(t).Components.Schemas {
		walk(name, schema)
	}
	slices.Sort(found)
	require.Equal(t, times, slices.Compact(found))
	var all struct {
		Components struct {
			Responses map[string]struct {
				Headers map[string]struct{ Description string }
			}
		}
	}
	must(t, json.Unmarshal(mfahttp.OpenAPI(), &all))
	for name, r := range all.Components.Responses {
		for _, header := range slices.Sorted(maps.Keys(r.Headers)) {
			require.True(t, strings.HasPrefix(r.Headers[header].Description, "Seconds "), name)
		}
	}
}
