package ui

import (
	"slices"
	"strconv"
	"strings"
)

// maxAccept and maxRanges bound what of an Accept-Language header is looked at. Browsers send
// less than a tenth of it.
const (
	maxAccept = 1024
	maxRanges = 32
)

// Locale chooses the language of a page: userLocale, the BCP 47 tag that the application knows
// for the user, if there are pages in it, else what the Accept-Language header prefers (RFC 9110
// section 12.5.4) among the languages there are, else English. The three names of Norwegian (no,
// nb, nn) all find nb.
func (r *Renderer) Locale(acceptLanguage, userLocale string) string {
	if lang, ok := r.match(userLocale); ok {
		return lang
	}
	best, bestQ := r.langs[0], 0.0
	if len(acceptLanguage) > maxAccept {
		acceptLanguage = acceptLanguage[:maxAccept]
	}
	ranges := 0
	for item := range strings.SplitSeq(acceptLanguage, ",") {
		if ranges++; ranges > maxRanges {
			break
		}
		tag, params, _ := strings.Cut(item, ";")
		q := quality(params)
		lang, ok := r.match(strings.TrimSpace(tag))
		if strings.TrimSpace(tag) == "*" {
			lang, ok = r.langs[0], true
		}
		if ok && q > bestQ {
			best, bestQ = lang, q
		}
	}
	return best
}

// quality reads "q=0.8"; nothing is 1, and what cannot be read 0.
func quality(params string) float64 {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1
	}
	s, ok := strings.CutPrefix(params, "q=")
	if !ok {
		s, ok = strings.CutPrefix(params, "Q=")
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if !ok || err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// match finds the language of a tag, dropping subtags from its end (RFC 4647 section 3.4).
func (r *Renderer) match(tag string) (string, bool) {
	if len(tag) > 64 {
		return "", false
	}
	tag = strings.ReplaceAll(tag, "_", "-")
	for tag != "" {
		i := slices.IndexFunc(r.langs, func(l string) bool { return strings.EqualFold(l, tag) })
		if i >= 0 {
			return r.langs[i], true
		}
		if t := strings.ToLower(tag); t == "no" || t == "nn" {
			tag = "nb"
			continue
		}
		cut := strings.LastIndexByte(tag, '-')
		tag = tag[:max(cut, 0)]
	}
	return "", false
}

// validTag accepts what can be a language tag: letters, digits and hyphens.
func validTag(tag string) bool {
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
