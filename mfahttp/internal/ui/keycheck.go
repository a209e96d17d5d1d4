package ui

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/secondgate/secondgate/internal/texts"
)

// named checks the names of texts and files that a call names literally.
func (c *checker) named(s *scope, cmd *parse.CommandNode, function string) {
	at := map[string]int{"t": 1, "strong": 1, "timer": 1, "day": 1, "kindText": 1, "asset": 1,
		"field": 3}
	i, ok := at[function]
	if !ok || len(cmd.Args) <= i {
		return
	}
	literal, ok := cmd.Args[i].(*parse.StringNode)
	if !ok {
		return
	}
	key := literal.Text
	switch function {
	case "asset":
		if _, ok := c.static.content[key]; !ok {
			c.faults.add("%s: no file static/%s%s", s.at(cmd), key,
				didYouMean(key, sortedKeys(c.static.content)))
		}
	case "field":
		c.key(s, cmd, "field."+key)
	case "kindText":
		c.mine[key+"."] = c.mine[key+"."] || c.overlaid[s.tree.ParseName]
		if !c.texts[0].has(key) { // the text for all kinds
			key += ".other"
		}
		c.key(s, cmd, key)
	case "t":
		counted := slices.ContainsFunc(cmd.Args[2:], func(a parse.Node) bool {
			n, ok := a.(*parse.StringNode)
			return ok && n.Text == "n"
		})
		if counted {
			c.key(s, cmd, key+".one")
			key += ".other"
		}
		c.key(s, cmd, key)
	default:
		c.key(s, cmd, key)
	}
}

// key checks that there is a text in each language.
func (c *checker) key(s *scope, n parse.Node, key string) {
	c.mine[key] = c.mine[key] || c.overlaid[s.tree.ParseName]
	for _, in := range c.texts {
		if !in.has(key) {
			c.faults.add("%s: no text %q in texts/%s.json%s", s.at(n), key, in.lang,
				didYouMean(key, in.Keys()))
			return
		}
	}
}

// aboutKind reports whether a family of texts is chosen by a kind: its names are those that the
// description of a kind may have.
func aboutKind(family string) bool {
	family = strings.TrimSuffix(family, ".")
	_, ok := kindTexts[family]
	return ok && family != "name" || family == "kind"
}

// byCode are the families of texts that are chosen by an error code of the API.
var byCode = []string{"error.title.", "error.text.", "notice."}

// adminTexts begins the texts of package mfahttp/admin, which can be in the same overlay. NewBodies
// checks them.
const adminTexts = "admin."

// openText is a text of the application's own about a kind or a code, which this package does not
// know.
type openText struct {
	name, where string
	kind        bool
}

// checkKeys refuses texts of the application's own that no page can show. Those about kinds that
// are not built in, and about codes, are left to CheckNames. A factor's reasons are its own.
func (c *checker) checkKeys(all []*catalog) (later []openText) {
	known := append(texts.Get(texts.English).Keys(), sortedKeys(c.mine)...)
	for _, in := range all {
		for _, o := range in.own {
			at := strings.LastIndexByte(o.Key, '.') + 1
			family, where := o.Key[:at], fmt.Sprintf("texts/%s.json:%d", in.lang, o.Line)
			switch {
			case !onPages(o.Key):
				c.faults.add("texts/%s.json: Compose of packages email, password and sms writes "+
					"mails and text messages: leave out the keys that begin with %s", in.lang,
					strings.Join(elsewhere, ", "))
			case c.mine[o.Key], c.mine[family], family == "problem.",
				strings.HasPrefix(o.Key, adminTexts), o.Key == "verify.why.step-up":
			case aboutKind(family):
				later = append(later, openText{o.Key[at:], where, true})
			case slices.Contains(byCode, family):
				later = append(later, openText{o.Key[at:], where, false})
			default:
				c.faults.add("%s: no page has a text %q%s", where, o.Key,
					didYouMean(o.Key, known))
			}
		}
	}
	return later
}

// Names are the kinds of an application's factors, and the error codes of the API.
type Names struct{ Kinds, Codes []string }

// CheckNames refuses texts of an overlay about kinds and codes that are not among the names.
func (r *Renderer) CheckNames(names Names) error {
	var f faults
	for _, text := range r.openTexts {
		have, what, all := names.Codes, "error code", "codes"
		if text.kind {
			have, what, all = names.Kinds, "factor of the kind", "kinds"
		}
		if !slices.Contains(have, text.name) {
			f.add("%s: there is no %s %q; the %s are %s%s", text.where, what, text.name, all,
				strings.Join(have, ", "), didYouMean(text.name, have))
		}
	}
	return f.err()
}
