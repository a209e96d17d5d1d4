package ui

import "cmp"

// field is the argument of the block "field": a label, an input and its error.
type field struct {
	ID, Label, Hint, Text string // Text is the error
	Type, Mode            string
	Autocomplete, Value   string
	Required, Focus       bool
	Plain                 bool // no auto-correction, no capitals of its own
	Code                  bool // large and spaced
	Pattern               string
	// Unsaved asks password managers to leave the field alone.
	Unsaved        bool
	Choices        []Country
	max            int    // characters
	hint, national string // keys of the hint, alone and beside a list of countries
	once           bool   // shown again by the response to the form alone, and never kept
	own            bool   // no parameter of the factor
}

// Describe lists what describes the input, the error first.
func (f field) Describe() string {
	switch {
	case f.Text != "" && f.Hint != "":
		return f.ID + "-error " + f.ID + "-hint"
	case f.Text != "":
		return f.ID + "-error"
	case f.Hint != "":
		return f.ID + "-hint"
	}
	return ""
}

// Dir is the value of the attribute dir: what is read from left to right in every language, such as
// a code or an address, or the direction of what the user types.
func (f field) Dir() string {
	if f.Type == "text" && !f.Code && !f.Plain && f.Mode != "numeric" {
		return "auto"
	}
	return "ltr"
}

// Below returns the field for the end of a page whose beginning the user has to see first: it has
// the focus, and the page is scrolled to it, only if something is wrong with it.
func (f field) Below() field {
	f.Focus = f.Text != ""
	return f
}

// Optional reports whether the label says that the field may stay empty. A field that another one
// asks for, such as the question of a user who writes one, is neither optional nor always required.
func (f field) Optional() bool { return !f.Required && !f.own }

// secret reports whether the value is never kept between two requests.
func (f field) secret() bool { return f.once || f.Type == "password" }

// common are the inputs that the forms of every kind may have. None has a maxlength: it would cut
// a pasted code that has spaces in it, without a word.
var common = map[string]field{
	"password": {ID: "password", Type: "password", Autocomplete: "current-password",
		Required: true},
	"name": {ID: "name", Type: "text", Autocomplete: "off"},
}

// field makes one of the common inputs by its name, with the optional explanation.
func (c *catalog) field(f Frame, page, id string, hint ...string) (field, error) {
	out, ok := common[id]
	if !ok { // of a replaced page
		out, _ = c.anyField(id)
	}
	var err error
	if out.Label, err = c.text("field." + id); err != nil {
		return out, err
	}
	if len(hint) > 0 {
		out.Hint = hint[0]
	}
	return c.fieldState(out, f, page)
}

// anyField finds the input of a built-in kind by its name.
func (c *catalog) anyField(id string) (field, bool) {
	for _, l := range looks {
		if f, ok := l.field(id); ok {
			return f, true
		}
	}
	return field{ID: id, Type: "text", Autocomplete: "off"}, false
}

// fieldState adds what the user typed before, except for secrets, and what is wrong with it.
func (c *catalog) fieldState(in field, f Frame, page string) (field, error) {
	if in.Type != "password" {
		in.Value = entered(f, in.ID)
	}
	var err error
	in.Text, err = c.fieldError(f, page, in.ID)
	in.Focus = in.Text != ""
	return in, err
}

// fields makes the inputs of the form that begins an enrolment. A kind that asks for nothing has
// the name of the new instance.
func (c *catalog) fields(p Enroll) ([]field, error) {
	l := c.look(p.Kind)
	var list []field
	for _, in := range l.fields {
		var err error
		switch {
		case in.Type == "select" && len(p.Countries) == 0:
			continue
		case in.Type == "select":
			in.Choices = p.Countries
		case in.national != "" && len(p.Countries) > 0:
			in.hint = in.national
		}
		if in, err = c.labelled(p.Kind, in); err == nil {
			in, err = c.fieldState(in, p.Frame, "enroll")
		}
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	if len(list) > 0 {
		return list, nil
	}
	name, err := c.field(p.Frame, "enroll", "name")
	return []field{name}, err
}

// labelled adds the label and the hint of a field of a kind.
func (c *catalog) labelled(kind string, in field) (field, error) {
	var err error
	if l := c.look(kind); l.files != nil {
		in.Label, _ = l.own(c.lang, "field."+in.ID)
		in.Hint, _ = l.own(c.lang, "hint."+in.ID)
		return in, nil
	}
	in.Label, err = c.text("field." + in.ID)
	if err == nil && in.hint != "" {
		in.Hint, err = c.hint(c.look(kind).settings, in.hint)
	}
	return in, err
}

// hint is the text beside a field: first how long a response is that the user chooses, if that is
// known.
func (c *catalog) hint(s Settings, key string) (string, error) {
	hint, err := c.text(key)
	if err != nil || s.MinLength == 0 {
		return hint, err
	}
	length := "hint.length-characters"
	switch exact := s.MinLength == s.MaxLength; {
	case s.Digits && exact:
		length = "hint.length-digits-exact"
	case s.Digits:
		length = "hint.length-digits"
	case exact:
		length = "hint.length-characters-exact"
	}
	long, err := c.text(length, "n", s.MinLength)
	return long + c.Gap() + hint, err
}

// response makes the field for a response of a kind. It has the focus. The phone that received a
// code offers it (autocomplete=one-time-code). Its ID is empty if users type no response.
func (c *catalog) response(kind, problem string) (field, error) {
	out := c.look(kind).response
	if out.Type == "none" {
		return field{}, nil
	}
	out.ID, out.Required, out.Focus, out.Text = "code", true, true, problem
	out.Type = cmp.Or(out.Type, "text")
	out.Autocomplete = cmp.Or(out.Autocomplete, "one-time-code")
	out.Code = out.Type == "text"
	var err error
	if out.Label, err = c.kindText("response", kind); err != nil {
		return out, err
	}
	out.Hint, _ = c.look(kind).own(c.lang, "response.hint")
	return out, nil
}
