package ui

// field is the argument of the block "field": a label, an input and its error.
type field struct {
	ID, Label, Hint, Text string // Text is the error
	Type, Mode            string
	Autocomplete, Value   string
	Required, Focus       bool
	Plain                 bool // no auto-correction, no capitals of its own
	Code                  bool // large and spaced
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

// fields are the inputs of forms. None has a maxlength: it would cut a pasted code that has
// spaces in it, without a word.
var fields = map[string]field{
	"address":  {Type: "email", Autocomplete: "email", Required: true, Plain: true},
	"number":   {Type: "tel", Mode: "tel", Autocomplete: "tel", Required: true},
	"pin":      {Type: "password", Autocomplete: "off", Required: true},
	"pin2":     {Type: "password", Autocomplete: "off", Required: true},
	"password": {Type: "password", Autocomplete: "current-password", Required: true},
	"name":     {Type: "text", Autocomplete: "off"},
}

// field makes an input of a form by its name, with the optional explanation. It keeps what the
// user typed before, except for secrets, which Entered never contains.
func (c *catalog) field(f Frame, page, id string, hint ...string) (field, error) {
	out := fields[id]
	out.ID = id
	var err error
	if out.Label, err = c.text("field." + id); err != nil {
		return out, err
	}
	if len(hint) > 0 {
		out.Hint = hint[0]
	}
	if out.Type != "password" {
		out.Value = entered(f, id)
	}
	out.Text, err = c.fieldError(f, page, id)
	out.Focus = out.Text != ""
	return out, err
}

// response makes the field for a response of a kind. Codes that are sent or shown elsewhere have
// one numeric field, never a box for each digit, and the phone that received them offers them
// (autocomplete=one-time-code). Type "number" would drop leading zeros.
func (c *catalog) response(kind string, recovery bool, problem string) (field, error) {
	out := field{ID: "code", Type: "text", Autocomplete: "one-time-code", Required: true,
		Focus: true, Code: true, Text: problem}
	about := "code"
	switch {
	case kind == "pin":
		out.Type, out.Autocomplete, out.Code, about = "password", "off", false, "pin"
	case recovery:
		out.Autocomplete, out.Plain, about = "off", true, "recovery"
	case kind == "totp", kind == "email", kind == "sms":
		out.Mode = "numeric"
	default:
		out.Plain = true
	}
	var err error
	out.Label, err = c.text("answer." + about)
	return out, err
}
