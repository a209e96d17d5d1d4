package texts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sent reports whether a key belongs to a text of mails or text messages.
func Sent(key string) bool {
	return strings.HasPrefix(key, "mail.") || strings.HasPrefix(key, "sms.")
}

// ForBrand is [For] with the texts that a brand has for mails and text messages, by language and
// key, in place of the library's. Its error is that of [CheckSent]; texts of pages are not looked
// at.
func ForBrand(locale string, own map[string]map[string]string) (*Language, error) {
	l := For(locale)
	var over []Entry
	for _, key := range slices.Sorted(maps.Keys(own[l.tag])) {
		if !Sent(key) {
			continue
		}
		if err := CheckSent(l.tag, key, own[l.tag][key]); err != nil {
			return nil, fmt.Errorf("texts of the brand: %w", err)
		}
		over = append(over, Entry{Key: key, Text: own[l.tag][key]})
	}
	if over == nil {
		return l, nil
	}
	return New(l.tag, over, l), nil
}

// CheckSent decides whether a text of a brand can replace one of a mail or a text message: there
// is one under the key in the language, and each placeholder of that, such as the code, is in
// the new one, and no other.
func CheckSent(tag, key, text string) error {
	l := Get(tag)
	if l == nil {
		return fmt.Errorf("there is no language %q; there are %s", tag, strings.Join(tags(), ", "))
	}
	if !Sent(key) || !l.Has(key) {
		return fmt.Errorf("%s: no mail or text message has a text %q", tag, key)
	}
	english, model := Get(English), key
	if base, ok := english.Counted(key); ok {
		model = base + ".other"
	}
	c := checker{tag: tag, english: english, mine: map[string]string{key: text}}
	if c.text(key, model); len(c.faults) > 0 {
		return errors.New(tag + ": " + c.faults[0])
	}
	return nil
}
