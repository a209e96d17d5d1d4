package texts

import (
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// gsm are the letters with marks of the GSM 7-bit alphabet (3GPP TS 23.038 section 6.2.1).
const gsm = "£¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§¿äöñüà¡€"

// message checks the text message: the code comes first, and the whole fits into one message with
// a service and a host of usual length.
func (c *checker) message() {
	const key, code, service, last = "sms.code", "012345", "Acme Bank", "\n@acme.example #012345"
	if _, ok := c.mine[key]; !ok {
		return // said already
	}
	var list []Entry
	for k, text := range c.mine {
		list = append(list, Entry{Key: k, Text: text})
	}
	l := New(c.tag, list, nil)
	text := l.Message(key, "code", code, "service", service, "time", l.Lifetime(90*time.Second))
	if !strings.HasPrefix(text, code) {
		c.fault("%s: {code} must come first", key)
	}
	latin := !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x370 && r != '€' })
	strange := strings.IndexFunc(text, func(r rune) bool {
		return r > '~' && !strings.ContainsRune(gsm, r)
	})
	size := len(utf16.Encode([]rune(text + last)))
	switch {
	case latin && strange >= 0:
		c.fault("%s: %q is outside of the GSM alphabet: write it without the mark, or use another "+
			"word", key, []rune(text[strange:])[0])
	case latin && size > 160:
		c.fault("%s: it takes %d characters with the last line, at most 160: %q", key, size, text)
	case !latin && size > 70:
		c.fault("%s: it takes %d characters with the last line, at most 70: %q", key, size, text)
	}
}

// Same returns the keys whose text is the English one, where that has several words.
func Same(entries []Entry, english *Language) (keys []string) {
	for _, e := range entries {
		text, _ := english.Lookup(e.Key)
		words := strings.Fields(text)
		words = slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "{") })
		if e.Text == text && len(words) > 2 {
			keys = append(keys, e.Key)
		}
	}
	return keys
}
