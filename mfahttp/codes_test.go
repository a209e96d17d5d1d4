package mfahttp_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// codesSeen are the codes of all responses of all tests, as "409 not_available".
var codesSeen sync.Map

// unseenCodes lists the codes of the table that occurred in no response.
func unseenCodes() (list []string) {
	for _, r := range mfahttp.CodeRows() {
		if name := fmt.Sprintf("%d %s", r.Status, r.Code); !seenCode(name) {
			list = append(list, name)
		}
	}
	return list
}

func seenCode(name string) bool { _, ok := codesSeen.Load(name); return ok }

// The table has what the Handler returns, and nothing else.
func TestCodes_AreThoseReturned(t *testing.T) {
	var listed []string
	for _, r := range mfahttp.CodeRows() {
		require.NotEmpty(t, r.Means, r.Code)
		require.NotEmpty(t, r.Client, r.Code)
		listed = append(listed, fmt.Sprintf("%d %s", r.Status, r.Code))
	}
	returned := append(mfahttp.MappedCodes(), "401 step_up") // RequireRecent
	slices.Sort(listed)
	slices.Sort(returned)
	require.Equal(t, returned, listed)
	// A code that is written past the table of problems is in the source, as in {"error": …}.
	for code, at := range errorLiterals(t) {
		require.True(t, slices.ContainsFunc(mfahttp.CodeRows(), func(r mfahttp.CodeRow) bool {
			return r.Code == code
		}), "%s returns %q, which no row of codeRows has", at, code)
	}
}

// errorLiterals returns the codes that the source writes as {"error": …}, with the places.
func errorLiterals(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found, fset := map[string]string{}, token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				key, _ := literal(n.Key)
				if code, ok := literal(n.Value); ok && key == "error" {
					found[code] = fset.Position(n.Pos()).String()
				}
			case *ast.BasicLit:
				if text, ok := literal(n); ok && strings.HasPrefix(text, `{"error":`) {
					var body struct{ Error string }
					if json.Unmarshal([]byte(text), &body) != nil {
						break // rpc.go writes another error there
					}
					found[body.Error] = fset.Position(n.Pos()).String()
				}
			}
			return true
		})
	}
	require.Contains(t, found, "step_up")
	require.Contains(t, found, "unavailable")
	return found
}

// The table of reasons has what the factors, the Manager and the pages return.
func TestReasons_AreThoseInTheSource(t *testing.T) {
	source, listed := reasonsInSource(t), map[string]bool{}
	for _, r := range mfahttp.ReasonRows() {
		listed[r.Reason] = true
		require.NotEmpty(t, r.Means, r.Reason)
		require.Contains(t, source, r.Reason, "no source returns it")
	}
	for reason, at := range source {
		require.True(t, listed[reason], "%s: add %q to reasonRows", at, reason)
	}
}

// reasons returns the reasons of the API, those of numbered fields one by one.
func reasons() (list []any) {
	for _, r := range mfahttp.ReasonRows() {
		switch {
		case !r.API:
		case r.Numbered:
			for i := range 3 {
				list = append(list, fmt.Sprintf("%s_%d", r.Reason, i+1))
			}
		default:
			list = append(list, r.Reason)
		}
	}
	return list
}

func TestCodes_AreInTheDocument(t *testing.T) {
	var d struct {
		Components struct {
			Schemas   map[string]struct{ Properties map[string]m }
			Responses map[string]struct{ Description string }
		}
	}
	require.NoError(t, json.Unmarshal(mfahttp.OpenAPI(), &d))
	var codes []any
	byStatus := map[int][]string{}
	for _, r := range mfahttp.CodeRows() {
		if !slices.Contains(codes, any(r.Code)) {
			codes = append(codes, r.Code)
		}
		if r.Code != "step_up" || r.Status != 401 { // a route of the application
			byStatus[r.Status] = append(byStatus[r.Status], r.Code)
		}
	}
	properties := d.Components.Schemas["Error"].Properties
	require.Equal(t, codes, properties["error"]["enum"])
	// No enum: a third-party factor has reasons of its own, which a generated client must accept.
	require.Equal(t, reasons(), properties["reason"]["x-extensible-enum"])
	delete(byStatus, 405) // no client generated from the document gets it
	for status, list := range byStatus {
		require.True(t, strings.HasSuffix(
			d.Components.Responses[fmt.Sprintf("E%d", status)].Description,
			"Error codes: "+strings.Join(list, ", ")+"."), "%d: %v", status, list)
	}
}

// docs/api.md has the rows of both tables as they are, in order.
func TestCodes_AreInTheGuide(t *testing.T) {
	var want strings.Builder
	want.WriteString("| `error` | status | meaning | what a client does |\n|---|---|---|---|\n")
	for _, r := range mfahttp.CodeRows() {
		fmt.Fprintf(&want, "| `%s` | %d | %s | %s |\n", r.Code, r.Status, r.Means, r.Client)
	}
	var also strings.Builder
	also.WriteString("| `reason` | kinds | meaning |\n|---|---|---|\n")
	for _, r := range mfahttp.ReasonRows() {
		name := "`" + r.Reason + "`"
		if r.Numbered {
			name = "`" + r.Reason + "_1` to `_3`"
		}
		if r.API {
			fmt.Fprintf(&also, "| %s | %s | %s |\n", name, r.Kinds, r.Means)
		}
	}
	guide, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	for _, table := range []string{want.String(), also.String()} {
		require.True(t, strings.Contains(string(guide), table),
			"docs/api.md should have this table:\n%s", table)
	}
}

// The state that docs/api.md shows is one that the document allows.
func TestGuide_ShowsAValidState(t *testing.T) {
	guide, err := os.ReadFile("../docs/api.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(guide), "```json\n")
	require.True(t, found)
	block, _, _ := strings.Cut(rest, "```")
	var state any
	require.NoError(t, json.Unmarshal([]byte(block), &state))
	require.NoError(t, contract().valid(m{"$ref": "#/components/schemas/State"}, state, "$"))
}

// noPage are codes for which the pages have no text of their own, each with the reason.
var noPage = map[string]string{
	"address_taken":      "an application's own page changes the address",
	"unknown_factor":     "passkey.js shows passkey.unknown",
	"unavailable":        "error.title.other, which is also for codes to come",
	"method_not_allowed": "no form of the pages has the method",
	"too_large":          "no form of the pages has fields of that size",
	"media_type":         "no form of the pages has another media type",
}

func TestCodes_HaveTextsOnThePages(t *testing.T) {
	var texts map[string]string
	b, err := os.ReadFile("../internal/texts/files/en.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &texts))
	for _, r := range mfahttp.CodeRows() {
		if noPage[r.Code] != "" {
			continue
		}
		_, page := texts["error.title."+r.Code]
		_, notice := texts["notice."+r.Code]
		_, field := texts["notice."+r.Code+".code"]
		_, kind := texts["notice."+r.Code+".other"]
		require.True(t, page || notice || field || kind, r.Code)
	}
	// The table says which of the two is about a country that is not served.
	require.Equal(t, "We cannot send codes to this country.", texts["problem.number_country"])
	require.Contains(t, texts["problem.number_region"], "Choose a country")
	listed := map[string]bool{"number_at_risk": true} // of an application's sms.Config.Check
	for _, r := range mfahttp.ReasonRows() {
		listed[r.Reason] = true
		if r.Pages && r.Reason != "response_expired" { // notice.expired.code
			require.Contains(t, texts, "problem."+r.Reason)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		reason, ok := strings.CutPrefix(key, "problem.")
		if ok && !strings.HasPrefix(reason, "form.") {
			require.True(t, listed[reason], "%s: no row of reasonRows", key)
		}
	}
}
