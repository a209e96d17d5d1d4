package ui

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/internal/texts"
)

// funcs are what templates of one language can call.
func (r *Renderer) funcs(c *catalog) template.FuncMap {
	return template.FuncMap{
		"head":       c.head,
		"others":     others,
		"field":      c.field,
		"fields":     c.fields,
		"questions":  c.questions,
		"response":   c.response,
		"t":          c.text,
		"gap":        c.Gap,
		"strong":     c.strong,
		"direction":  direction,
		"timer":      c.timer,
		"duration":   c.Wait,
		"date":       c.date,
		"day":        c.day,
		"moment":     c.moment,
		"kind":       c.kind,
		"named":      c.named,
		"kindText":   c.kindText,
		"say":        c.say,
		"fieldError": c.fieldError,
		"entered":    entered,
		"icon":       c.icon,
		"part":       c.part,
		"waitNotice": c.waitNotice,
		"script":     func(kind string) string { return c.look(kind).script },
		"asset":      r.AssetPath,
		"isolate":    c.Isolated,
		"ltr":        c.leftToRight,
		"groups":     groups,
		"otpauth":    otpauth,
		"iso":        iso,
		"count": func(n int) (list []int) {
			for i := range n {
				list = append(list, i+1)
			}
			return list
		},
		"good": func(n Notice) bool { return good[n.Code] },
	}
}

// head is what the block "head" is given.
type head struct {
	Frame
	Dir     string // the direction of the language, "ltr" or "rtl"
	Page    string // the template
	Title   string
	Wide    bool
	Bad     bool   // the notice is an error
	Refresh int    // seconds, for browsers without scripts; 0: never
	Next    string // where the page goes at once; "": nowhere
	Script  bool   // a script of the page goes to Next, so that only browsers without one refresh
}

// head fixes the language to the one that the texts are really in.
func (c *catalog) head(f Frame, page, title string) head {
	f.Lang = c.lang
	wide := page == "factors" || page == "page" && f.SignedIn
	bad := f.Notice != nil && !good[f.Notice.Code] && f.Notice.Code != "pending" &&
		f.Notice.Code != ""
	return head{Frame: f, Dir: c.Direction(), Page: page, Title: title, Wide: wide, Bad: bad}
}

// GoOnTo is the head of a page that goes on to a URL of this site at once.
func (h head) GoOnTo(to string) head {
	h.Next = to
	return h
}

// GoOnByScript is the head of a page whose script goes on to a URL of this site.
func (h head) GoOnByScript(to string) head {
	h.Next, h.Script = to, true
	return h
}

// RefreshAfter is the head of a page that is worth another look after some seconds.
func (h head) RefreshAfter(secs int) head {
	h.Refresh = secs + 1
	return h
}

// others returns the other methods to offer. A response is verified against all factors of a
// kind, so a second one of the same kind is another method only if the code goes to another
// destination.
func others(v Verify) (list []Option) {
	seen := map[string]bool{v.Option.Kind: true}
	for _, o := range v.Others {
		if o.Sends && o.Kind == v.Option.Kind || !seen[o.Kind] {
			list = append(list, o)
		}
		seen[o.Kind] = true
	}
	return list
}

// good lists the notices of success.
var good = map[string]bool{"sent": true, "request_sent": true, "elsewhere": true, "added": true,
	"removed": true, "cancelled": true, "renamed": true, "preferred": true, "implied_off": true,
	"implied_on": true, "recovered": true, "forgotten": true, "link_sent": true,
	"support_asked": true, "proof": true, "unlocked": true}

// strong is text as HTML, its values in bold. They are escaped, and keep their writing
// direction to themselves: a name cannot turn the sentence around.
func (c *catalog) strong(key string, args ...any) (template.HTML, error) {
	if len(args)%2 != 0 {
		return "", fmt.Errorf("%s: a text takes pairs of placeholder and value", key)
	}
	values := make(map[string]string, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = `<strong dir="` + direction(fmt.Sprint(args[i+1])) + `">` +
			template.HTMLEscapeString(fmt.Sprint(args[i+1])) + `</strong>`
	}
	return c.filled(key, values)
}

// filled is a text as HTML, with elements for its placeholders.
func (c *catalog) filled(key string, elements map[string]string) (template.HTML, error) {
	text, ok := c.Lookup(key)
	if !ok {
		return "", fmt.Errorf("texts/%s.json has no %q", c.lang, key)
	}
	return template.HTML(texts.Fill(template.HTMLEscapeString(text), elements)), nil //nolint:gosec // escaped here and by the callers
}

// direction is that of a value in a sentence: its own, by its letters. A masked phone number has no
// letters, and is read from left to right in every language.
func direction(value string) string {
	if strings.ContainsFunc(value, unicode.IsLetter) {
		return "auto"
	}
	return "ltr"
}

// timer is a text whose {time} the script counts down. A timer is not announced as it runs
// (role=timer has aria-live=off); the script says when little is left.
func (c *catalog) timer(key string, secs int) (template.HTML, error) {
	span := `<span class="sg-time" role="timer" data-seconds="` + strconv.Itoa(secs) + `">` +
		template.HTMLEscapeString(c.Wait(secs)) + `</span>`
	return c.filled(key, map[string]string{"time": span})
}

// day is a text whose {day} the script replaces by the user's own day, as it does a date.
func (c *catalog) day(key string, t time.Time) (template.HTML, error) {
	element := `<time datetime="` + iso(t) + `" data-day>` +
		template.HTMLEscapeString(c.date(t)) + `</time>`
	return c.filled(key, map[string]string{"day": element})
}

// iso writes a time for the attribute datetime.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// date writes a day in words, in UTC, because the server does not know the user's time zone. The
// script replaces it by the user's own day.
func (c *catalog) date(t time.Time) string { return c.Date(t.UTC()) }

// moment writes a day in words and the time of day with its zone, in UTC. The script replaces it by
// the time where the user is.
func (c *catalog) moment(t time.Time) string { return c.Time(t.UTC()) }

// kind is the name of a kind. One that is not described goes by its own.
func (c *catalog) kind(kind string) string {
	if s, ok := c.look(kind).own(c.lang, "name"); ok {
		return s
	}
	if s, ok := c.Lookup("kind." + kind); ok {
		return s
	}
	return kind
}

// named is the name of an instance of a kind. One that the user did not choose is in the language.
func (c *catalog) named(kind, name string) string {
	if name == "" {
		return c.kind(kind)
	}
	return c.Named(kind, name)
}

// kindText is a text about a kind: that of its own description, the built-in one, or the one
// for all kinds. The title of a page about a described kind is its name if there is
// no other.
func (c *catalog) kindText(about, kind string, args ...any) (string, error) {
	s, ok := c.look(kind).own(c.lang, about)
	if !ok && strings.HasSuffix(about, ".title") {
		s, ok = c.look(kind).own(c.lang, "name")
	}
	if ok {
		values, err := texts.Values(args)
		return texts.Fill(s, values), err
	}
	if key := about + "." + kind; c.has(key) {
		return c.text(key, args...)
	}
	if key := about + ".other"; c.has(key) {
		return c.text(key, args...)
	}
	return c.text(about, args...)
}

// fieldOf is the form field that a notice is about, "" if it is about the page.
func (c *catalog) fieldOf(n Notice, page string) string {
	typed := (page == "verify" || page == "enrollment") &&
		c.look(n.Kind).response.Type != "none"
	switch {
	case n.Code == "password":
		return "password"
	case page == "factors":
		return n.Field
	case n.Code == "malformed" && n.Reason == "name_form":
		return "name"
	case n.Code != "incorrect" && n.Code != "expired" && n.Code != "malformed":
		return ""
	case typed:
		return "code"
	case page != "enroll" || n.Code == "expired":
		return ""
	case n.Code == "incorrect":
		return c.look(n.Kind).again
	case n.Field != "":
		return n.Field
	}
	return c.look(n.Kind).problemField(n.Reason)
}

// fieldError returns the error of a field, or "". page is the name of the template.
func (c *catalog) fieldError(f Frame, page, field string) (string, error) {
	if f.Notice == nil || c.fieldOf(*f.Notice, page) != field {
		return "", nil
	}
	return c.notice(*f.Notice, page, f.Now)
}

// say is what a notice says of the whole page, or "" if a field says it.
func (c *catalog) say(f Frame, page string) (string, error) {
	if f.Notice == nil || c.fieldOf(*f.Notice, page) != "" {
		return "", nil
	}
	return c.notice(*f.Notice, page, f.Now)
}

// waitNotice is what the block "wait-notice" is given: the notice of a page that may wait, about a
// success, an error, or something that has not happened yet. Two of them are empty.
type waitNotice struct{ Good, Bad, Pending string }

func (c *catalog) waitNotice(f Frame, page string) (n waitNotice, err error) {
	s, err := c.say(f, page)
	switch {
	case s == "":
	case good[f.Notice.Code]:
		n.Good = s
	case f.Notice.Code == "pending":
		n.Pending = s
	default:
		n.Bad = s
	}
	return n, err
}

func (c *catalog) notice(n Notice, page string, now time.Time) (string, error) {
	switch n.Code {
	case "":
		return "", nil
	case "incorrect":
		s, err := c.kindText("notice.incorrect", n.Kind)
		return c.withRemaining(s, err, n)
	case "expired":
		if page == "verify" || page == "enrollment" {
			s, err := c.text("notice.expired.code")
			return c.withRemaining(s, err, n)
		}
	case "malformed":
		return c.malformed(n, page)
	case "locked", "budget", "busy":
		if wait := n.Until.Sub(now); wait > 0 {
			return c.waitText("notice."+n.Code+".for", wait)
		}
	case "denied":
		s, err := c.kindText("notice.denied", n.Kind)
		return c.withRemaining(s, err, n)
	case "request_expired":
		return c.text("notice.expired.request")
	case "request_sent":
		return c.text("notice.sent.request")
	case "proof", "recovered":
		return c.text("notice."+n.Code, "n", max(n.Remaining, 0))
	case "added":
		return c.kindText("notice.added", n.Kind)
	}
	if key := "notice." + n.Code; c.has(key) {
		return c.text(key)
	}
	return c.text("notice.unavailable")
}

// malformed is the text about an input that is not valid: that of its reason, which the kind's
// own description comes first for, or else a general one. The reason itself is never shown.
func (c *catalog) malformed(n Notice, page string) (string, error) {
	if s := c.look(n.Kind).settings; n.Reason == "pin_characters" && s.MinLength > 0 && !s.Digits {
		return c.text("problem.form.pin-letters")
	}
	if n.Reason != "" {
		if s, ok := c.look(n.Kind).own(c.lang, "problem."+n.Reason); ok {
			return s, nil
		}
		if key := "problem." + withoutNumber(n.Reason); c.has(key) {
			return c.text(key)
		}
	}
	if page == "verify" || page == "enrollment" {
		return c.kindText("problem.form", n.Kind)
	}
	return c.text("notice.malformed")
}

// waitText says a wait in whole seconds, rounded up.
func (c *catalog) waitText(key string, wait time.Duration) (string, error) {
	return c.text(key, "time", c.Wait(int((wait+time.Second-1)/time.Second)))
}

// withRemaining adds to a text how many attempts remain, if that is known.
func (c *catalog) withRemaining(s string, err error, n Notice) (string, error) {
	if err != nil || n.Remaining < 0 {
		return s, err
	}
	left, err := c.text("attempts", "n", n.Remaining)
	return s + c.Gap() + left, err
}

// entered is what was typed into a field before.
func entered(f Frame, field string) string {
	if f.Notice == nil {
		return ""
	}
	return f.Notice.Entered[field]
}

// leftToRight isolates what is read from left to right in every language, such as a phone number,
// where there can be no element with dir="ltr" around it.
func (c *catalog) leftToRight(s string) string {
	if !c.RightToLeft() {
		return s
	}
	return "\u2066" + s + "\u2069"
}

// groups cuts a key into fours, which is how users read keys to themselves.
func groups(s string) (list []string) {
	runes := []rune(s)
	for len(runes) > 4 {
		list, runes = append(list, string(runes[:4])), runes[4:]
	}
	return append(list, string(runes))
}

// otpauth lets an otpauth URI be a link. html/template would put a warning in its place, as it
// does for every scheme it does not know; other schemes than this one stay what they are.
func otpauth(uri string) template.URL {
	if !strings.HasPrefix(uri, "otpauth://") {
		return ""
	}
	return template.URL(uri) //nolint:gosec // the scheme was looked at, and the attribute is escaped
}

// withoutNumber is the reason of a problem without the number of the field that it is about.
func withoutNumber(reason string) string {
	about, _, _ := strings.Cut(reason, "_")
	if at := strings.LastIndexByte(reason, '_'); (about == "question" || about == "answer") &&
		at > 0 && len(reason)-at == 2 {
		return reason[:at]
	}
	return reason
}
