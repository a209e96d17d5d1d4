package ui

import (
	"html/template"
	"io/fs"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/internal/texts"
)

// Kind describes how a kind that is not built in looks. mfahttp.Kind documents it.
type Kind struct {
	Kind     string
	Files    fs.FS
	Fields   []Field
	Response Field
}

// Field is an input of a form.
type Field struct {
	Name, Type, InputMode, Autocomplete string
	MaxLength                           int
	Optional                            bool
}

// look is how a kind looks on the pages, whether it is built in or described by the application.
type look struct {
	// fields are the inputs of the form that begins an enrolment.
	fields []field
	// more are parameters that the form does not ask for. A replaced page may.
	more []string
	// main is the field that a problem is about whose reason names no other. Empty: such a problem
	// is about the page.
	main string
	// about has the reasons that are about another field than their first word says.
	about map[string]string
	// again is the field that repeats main. A user confirms the enrolment with it.
	again string
	// response is the input for a response. Its Type is "none" if users type none.
	response field

	settings Settings

	// The parts of a Kind, in place of what is built in.
	files fs.FS
	icon  template.HTML
	texts map[string]map[string]string // by language and key
	shows bool                         // the page for a response has a part
	// script is the name of the script under static/, or "".
	script string
}

// numeric is the field for a code of digits, which a phone may offer. Type "number" would drop
// leading zeros.
var numeric = field{Mode: "numeric"}

// chosen is the field for a PIN: a masked text, which Firefox neither fills the account's password
// into nor saves. app.js makes it a password where browsers and password managers pass over one
// that is for a one-time code. "off" they ignore, and Firefox would fill the username into such a
// text above a password. With "new-password" they would offer to save the PIN as the password of
// the account, and fill it in at the next sign-in.
var chosen = field{Type: "password", Autocomplete: "one-time-code", Unsaved: true}

// pinField is a field for a new PIN.
func pinField(id, hint string) field {
	f := chosen
	f.ID, f.Required, f.hint = id, true, hint
	return f
}

// Settings are what a kind whose responses users choose takes: how many characters, and whether
// decimal digits only.
type Settings struct {
	Kind                 string
	MinLength, MaxLength int
	Digits               bool
}

// digits matches what is read as digits alone: decimal digits of every script, with the spaces and
// hyphens that users type between them.
const digits = `[\p{Nd}\p{White_Space}\p{Pd}\p{Cf}\p{Variation_Selector}\u2212\u2043\u02d7]*`

// Configure describes the fields for the responses of a kind before the first page is rendered.
func (r *Renderer) Configure(s Settings) {
	l, ok := r.looks[s.Kind]
	if !ok || !l.response.Unsaved {
		return
	}
	own := *l
	own.settings = s
	own.response = own.response.take(s)
	own.fields = slices.Clone(own.fields)
	for i, f := range own.fields {
		if f.Type == own.response.Type {
			own.fields[i] = f.take(s)
		}
	}
	r.looks[s.Kind] = &own
}

// take makes a field numeric if responses have digits only.
func (f field) take(s Settings) field {
	if s.Digits {
		f.Mode, f.Pattern = "numeric", digits
	}
	return f
}

// looks are those of the built-in kinds. Codes that are sent or shown elsewhere have one numeric
// field, never a box for each digit.
var looks = map[string]*look{
	"totp": {response: numeric, more: []string{"secret"}},
	"email": {response: numeric, main: "address", fields: []field{
		// A browser refuses letters outside ASCII before the @ in a field of the type email.
		{ID: "address", Mode: "email", Autocomplete: "email", Required: true, Plain: true}}},
	"sms": {response: numeric, main: "number", fields: []field{
		{ID: "region", Type: "select", Autocomplete: "country"},
		{ID: "number", Type: "tel", Mode: "tel", Autocomplete: "tel", Required: true,
			hint: "hint.international", national: "hint.national"}},
		about: map[string]string{"number_country": "region", "number_region": "region"}},
	"pin": {response: chosen, main: "pin", again: "pin2",
		about: map[string]string{"pin_mismatch": "pin2"}, fields: []field{
			pinField("pin", "hint.pin"), pinField("pin2", "")}},
	"questions": {fields: questionFields},
	"recovery":  {response: field{Autocomplete: "off", Plain: true}},
	"access":    {response: field{Autocomplete: "off", Plain: true}},
	"passkey":   {response: field{Type: "none"}, more: []string{"attachment", "conditional"}},
}

// unknown is the look of a kind that is neither built in nor described.
var unknown = &look{response: field{Plain: true}}

// look returns how a kind looks.
func (c *catalog) look(kind string) *look {
	if l, ok := c.looks[kind]; ok {
		return l
	}
	return unknown
}

// own returns the text of a described kind under a key, in a language or else in English.
func (l *look) own(lang, key string) (string, bool) {
	text, ok := l.texts[lang][key]
	if !ok {
		text, ok = l.texts[texts.English][key]
	}
	return text, ok
}

// field returns the input of a name.
func (l *look) field(name string) (field, bool) {
	i := slices.IndexFunc(l.fields, func(f field) bool { return f.ID == name })
	if i < 0 {
		return field{}, false
	}
	return l.fields[i], true
}

// problemField returns the field of the form that a problem is about, or "". A reason begins with
// the name of its field, "number_length", or has the number of one at its end, "answer_short_2".
func (l *look) problemField(reason string) string {
	if name, ok := l.about[reason]; ok {
		return name
	}
	first, rest, _ := strings.Cut(reason, "_")
	for _, name := range []string{first + rest[strings.LastIndexByte(rest, '_')+1:], first} {
		if _, ok := l.field(name); ok {
			return name
		}
	}
	for _, f := range l.fields {
		if strings.HasPrefix(reason, f.ID+"_") {
			return f.ID
		}
	}
	return l.main
}

// Form is what the form that begins an enrolment of a kind asks for.
type Form struct {
	// Params are the fields whose values the factor is given.
	Params []string
	// Kept are the fields whose values are kept until the next page after an error: no secrets.
	Kept []string
	// Shown are the fields whose values the response to the form itself shows again: all but PINs
	// and passwords.
	Shown []string
	// Again is the field that repeats the one before it, or "". A user confirms with it.
	Again string
	look  *look
}

// Form returns the form of a kind.
func (r *Renderer) Form(kind string) Form {
	l, ok := r.looks[kind]
	if !ok {
		l = unknown
	}
	form := Form{Params: slices.Clone(l.more), Kept: []string{"name", remember},
		Shown: []string{"name"}, Again: l.again, look: l}
	for _, f := range l.fields {
		if f.ID != l.again && !f.own {
			form.Params = append(form.Params, f.ID)
		}
		if f.Type != "password" {
			form.Shown = append(form.Shown, f.ID)
		}
		if !f.secret() {
			form.Kept = append(form.Kept, f.ID)
		}
	}
	return form
}

// remember is the box of the page for a response that remembers the device.
const remember = "remember"

// Value returns the value of a parameter from those of the form. A user who writes a question of
// their own chooses that in the list of questions, and writes it into another field.
func (f Form) Value(name string, value func(field string) string) string {
	s := value(name)
	if n, ok := strings.CutPrefix(name, "question"); ok && s == ownQuestion {
		return value("own" + n)
	}
	return s
}

// Shows reports whether the page for a response shows the data of what was sent.
func (f Form) Shows() bool { return f.look.shows }

// Asks reports whether there is anything to fill in before the enrolment begins.
func (f Form) Asks() bool { return len(f.look.fields) > 0 }

// Check looks for a value that the form does not take: an empty one that is required, or one that
// is too long. It returns the field, or "", and whether its value is missing. It is for the fields
// of a Kind; the built-in factors check theirs.
func (f Form) Check(value func(field string) string) (name string, missing bool) {
	for _, in := range f.look.fields {
		s := value(in.ID)
		switch {
		case f.look.files == nil:
		case s == "" && in.Required:
			return in.ID, true
		case len([]rune(s)) > in.max:
			return in.ID, false
		}
	}
	return "", false
}
