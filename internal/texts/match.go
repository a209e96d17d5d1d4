package texts

import (
	"strings"

	"golang.org/x/text/language"
)

// maxTag bounds the tags that are looked at. RFC 5646 section 4.4.1 recommends 35.
const maxTag = 64

// Matcher returns a function that finds the language of a tag among some tags. It drops subtags
// from the end (RFC 4647 section 3.4). It also knows which tags mean the same language and the
// same script: zh-TW is zh-Hant, pt is pt-BR, no and nn are nb, iw is he. A language that is only
// related is no match: the next one that the user reads is better.
func Matcher(tags []string) func(tag string) (string, bool) {
	parsed := make([]language.Tag, len(tags))
	for i, tag := range tags {
		parsed[i] = language.Make(tag)
	}
	matcher := language.NewMatcher(parsed)
	return func(asked string) (string, bool) {
		if len(asked) < 2 || len(asked) > maxTag {
			return "", false
		}
		asked = strings.ReplaceAll(asked, "_", "-")
		for tag := asked; tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
			for _, have := range tags {
				if strings.EqualFold(have, tag) {
					return have, true
				}
			}
		}
		want, err := language.Parse(asked)
		if err != nil {
			return "", false
		}
		_, i, confidence := matcher.Match(want)
		if confidence < language.High || !sameLanguage(want, parsed[i]) {
			return "", false
		}
		return tags[i], true
	}
}

// sameLanguage reports whether readers of one tag read the other: its language and its script are
// the same. The two Norwegian languages count as one.
func sameLanguage(a, b language.Tag) bool {
	baseA, _ := a.Base()
	baseB, _ := b.Base()
	scriptA, _ := a.Script()
	scriptB, _ := b.Script()
	norwegian := func(b language.Base) string {
		if s := b.String(); s != "no" && s != "nn" {
			return s
		}
		return "nb"
	}
	return norwegian(baseA) == norwegian(baseB) && scriptA == scriptB
}

// ValidTag accepts what can be a language tag: letters, digits and hyphens.
func ValidTag(tag string) bool {
	if len(tag) < 2 || len(tag) > 35 {
		return false
	}
	for i, c := range []byte(tag) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i < 2 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}
