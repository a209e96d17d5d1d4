package texts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// sampled are whole numbers that between them fall into every category that a language has for
// whole numbers.
var sampled = func() (list []int) {
	for n := range 201 {
		list = append(list, n)
	}
	return append(list, 1000, 1_000_000)
}()

// Categories returns the plural categories that a language has for whole numbers, and how many of
// the first 200 numbers each has.
func Categories(tag string) map[string]int {
	l := New(tag, nil, nil)
	found := map[string]int{}
	for _, n := range sampled {
		found[l.category(n)]++
	}
	return found
}

// Check returns what is wrong with the texts of a language beside the English ones: keys that are
// missing or unknown, placeholders and plural categories that differ, metadata. Each line names a
// key.
func Check(tag string, entries []Entry, english *Language) (faults []string) {
	c := checker{tag: tag, english: english, mine: map[string]string{}}
	for _, e := range entries {
		c.mine[e.Key] = e.Text
	}
	c.metadata()
	c.message()
	for _, key := range english.Keys() {
		base, counted := english.Counted(key)
		switch {
		case strings.HasPrefix(key, "language."):
		case counted && strings.HasSuffix(key, ".other"):
			c.forms(base)
		case !counted:
			c.text(key, key)
		}
	}
	for _, e := range entries {
		_, counted := english.Counted(e.Key)
		if !counted && !english.Has(e.Key) {
			c.fault("%s: English has no such key", e.Key)
		}
	}
	slices.Sort(c.faults)
	return slices.Compact(c.faults)
}

// quoted matches a name that a user chose between quotation marks, with the spaces of French.
var quoted = regexp.MustCompile("[“‘«„”「『]\u00a0?\u202f?\\{name\\}\u00a0?\u202f?[”’»“」』]")

type checker struct {
	tag     string
	english *Language
	mine    map[string]string
	need    map[string]int // what categories returns, once it was called
	faults  []string
}

// categories returns the plural categories of the language.
func (c *checker) categories() map[string]int {
	if c.need == nil {
		c.need = Categories(c.tag)
	}
	return c.need
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *checker) metadata() {
	if strings.TrimSpace(c.mine["language.name"]) == "" {
		c.fault("language.name: the name of the language in itself")
	}
	want := "ltr"
	if rightToLeft(language.Make(c.tag)) {
		want = "rtl"
	}
	if c.mine["language.direction"] != want {
		c.fault("language.direction: must be %q", want)
	}
	if review, ok := c.mine["language.review"]; !ok || review != "" && review != "wanted" {
		c.fault("language.review: must be %q, or %q if a reader of the language has to look at it",
			"", "wanted")
	}
	if n := len(strings.Fields(c.mine["date.months"])); n != 12 {
		c.fault("date.months: must be twelve words, not %d", n)
	}
}

// forms checks that there is one form for each category, and no other.
func (c *checker) forms(base string) {
	for i, category := range categories {
		key := base + "." + category
		_, have := c.mine[key]
		switch {
		case c.categories()[category] > 0:
			c.text(key, base+".other")
		case have:
			c.fault("%s: the plural rules of %s have no %q for whole numbers (%v)", key, c.tag,
				category, plural.Form(i)) //nolint:gosec // six categories
		}
	}
}

// text checks one text against an English one.
func (c *checker) text(key, model string) {
	theirs, _ := c.english.Lookup(model)
	mine, ok := c.mine[key]
	if !ok {
		c.fault("%s: missing; English: %q", key, theirs)
		return
	}
	if (strings.TrimSpace(mine) == "") != (strings.TrimSpace(theirs) == "") {
		c.fault("%s: one of it and the English text is empty", key)
	}
	if strings.Contains(theirs, "{name}") && quoted.MatchString(theirs) &&
		!quoted.MatchString(mine) {
		c.fault("%s: {name} must stand between quotation marks", key)
	}
	want, got := Placeholders(theirs), Placeholders(mine)
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return
	}
	// The form for one number alone may have it in words.
	if base, counted := c.english.Counted(key); counted &&
		c.categories()[strings.TrimPrefix(key, base+".")] == 1 && !slices.Contains(got, "n") {
		want = slices.DeleteFunc(want, func(p string) bool { return p == "n" })
		if slices.Equal(want, got) {
			return
		}
	}
	c.fault("%s: has the placeholders %v, and English %v", key, got, want)
}
