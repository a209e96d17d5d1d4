package textstest

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/secondgate/secondgate/internal/texts"
)

// Text is a piece of a page that a user sees or hears.
type Text struct {
	Where, Text string
	// Attribute reports whether it is the value of an attribute, which stands alone.
	Attribute bool
	// Isolated reports whether an element around it alone has a direction of its own.
	Isolated bool
}

// unspoken are the elements whose content is no text in a language. That of code is a name of the
// log, a key or a code.
var unspoken = []string{"script", "style", "svg", "code"}

// spoken are the attributes whose values users see or hear.
var spoken = []string{"alt", "title", "aria-label", "aria-description", "placeholder", "label",
	"data-over", "data-soon", "data-done", "data-offline", "data-say"}

// Visible returns the texts of a page in their order. Those that only scripts show are among them.
func Visible(page string) (list []Text) {
	root, err := html.ParseWithOptions(strings.NewReader(page),
		html.ParseOptionEnableScripting(false))
	if err != nil {
		panic(err) // of a strings.Reader
	}
	var tag html.Attribute // the language of the page
	var walk func(n *html.Node, where string, isolated bool)
	walk = func(n *html.Node, where string, isolated bool) {
		switch n.Type {
		case html.TextNode:
			if strings.TrimSpace(n.Data) != "" {
				list = append(list, Text{where, n.Data, false, isolated})
			}
		case html.ElementNode:
			whole := isWhole(n, &tag)
			if slices.Contains(unspoken, n.Data) || inEnglish(n) && !whole {
				return
			}
			where = strings.TrimPrefix(where+" "+n.Data, "html ")
			isolated = isolated || n.Data == "bdi"
			for _, a := range n.Attr {
				if slices.Contains(spoken, a.Key) {
					list = append(list, Text{fmt.Sprintf("%s[%s]", where, a.Key), a.Val, true,
						false})
				}
				isolated = isolated || a.Key == "dir" && !whole
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, where, isolated)
		}
	}
	walk(root, "", false)
	return list
}

// inEnglish reports whether a page says of a part that it is in another language.
func inEnglish(n *html.Node) bool {
	return slices.Contains(n.Attr, html.Attribute{Key: "lang", Val: texts.English})
}

// isWhole reports whether n is the whole page: its element, whose language it keeps in tag, or a
// part that repeats that.
func isWhole(n *html.Node, tag *html.Attribute) bool {
	if n.Data != "html" {
		return slices.Contains(n.Attr, *tag)
	}
	for _, a := range n.Attr {
		if a.Key == "lang" {
			*tag = a
		}
	}
	return true
}

// Loose returns where a value stands without being isolated from the text around it: neither alone,
// nor in an element with a direction of its own, nor between U+2068 and U+2069.
func Loose(page, value string) (found []string) {
	for _, s := range Visible(page) {
		rest := strings.ReplaceAll(s.Text, "\u2068"+value+"\u2069", "")
		if !s.Isolated && strings.Contains(rest, value) && strings.TrimSpace(s.Text) != value {
			found = append(found, s.Where+": "+strings.TrimSpace(s.Text))
		}
	}
	return found
}
