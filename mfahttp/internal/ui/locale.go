package ui

import (
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
// section 12.5.4) among the languages there are, else English. [texts.Matcher] says which tags find
// which language.
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

// Product returns what stands for the name of an application that has none, in one of the languages
// that Locale returns.
func (r *Renderer) Product(lang string) string { return r.catalogs.get(lang).Say("frame.product") }

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
