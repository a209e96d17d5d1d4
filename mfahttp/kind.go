package mfahttp

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Kind is how a third-party factor looks on the pages: its name, icon and texts in each language,
// and the fields of its forms. With one, a user chooses, enrols, uses and removes the factor as
// any built-in one. docs/writing-a-factor.md walks through an example.
type Kind struct {
	// Kind is the kind of one of the Manager's factors. Required.
	Kind string

	// Files describes the kind. Required.
	//
	//   - texts/en.json has the texts, a JSON object of strings. Only "name" is required. A file
	//     for each other language, such as texts/de.json, adds translations. A text that is
	//     missing there is in English, and one that is missing in English is general.
	//   - icon.svg is the icon: shapes without scripts, styles and references. An icon that says
	//     nothing of fill and stroke is drawn in lines, as those of the pages. Without the file
	//     the kind has the icon of a key.
	//   - verify.html and enrollment.html are parts of the pages that ask for a response, above
	//     the field. They are written for html/template, with the data that are listed below.
	//   - script.js is a script for those pages. They must work without it, and it must not need
	//     what the Content-Security-Policy refuses.
	//
	// The keys of the texts are:
	//
	//	name                             "Hardware token"
	//	about, strength                  what it is, and how strong, where the user chooses
	//	choose.have                      that the user has one already
	//	enroll.title .text .button       the form with Fields
	//	field.NAME, hint.NAME            the label of a field, required, and its explanation
	//	enrollment.title .text .button   the page that asks for the first response
	//	hint.name                        the explanation of the field for a name there
	//	send.title .text .button .again  the page before something is sent, and after it
	//	verify.title .text .button       what to do; the text may have {product}
	//	response, response.hint          the label and the explanation of the field for responses
	//	notice.incorrect, problem.form   an incorrect response, and one of another form
	//	problem.REASON                   the Reason of a factor.Problem
	//	notice.denied                    a user denied what a Polled kind asked
	//	notice.added, remove.text        the kind was added, and what it means to remove it
	//	lost.by                          a recovery kind, to a user who lost a device
	//	verify.lost, help.text, help.again   the link and the page for a user who cannot use it
	//	factors.change                   the link to choose another, of a kind that users know
	//	text.NAME                        for verify.html and enrollment.html
	//
	// A page without a title has the name.
	// A reason without a text is looked up among those of the built-in kinds, and then said in
	// general words. The reason itself and the Detail of a Problem are never shown.
	//
	// In verify.html and enrollment.html {{t "text.NAME"}} is a text of the kind in the page's
	// language; pairs of a name and a value after the key fill in its placeholders. The data are:
	//
	//	.Data               Prompt.Data, JSON of at most 1 KB, decoded; nil once it has expired
	//	.Product            the application's name
	//	.MaskedDestination  where something was sent
	//	.URI .QR .Secret    those of the Prompt of an enrolment; .QR draws the URI
	//
	// New executes each part without data, so that a user who comes late sees a page. The class
	// "sg-number" is for a short number in large digits, and "sg-qr" for a QR code.
	Files fs.FS

	// Fields are what the user fills in before an enrolment begins. Each is a parameter of
	// factor.EnrollInput under its name, and no other parameter is passed. A Problem is shown at
	// the field whose name its Reason begins with, as "serial_unknown" for "serial", and at the
	// only field if there is one. At most 8. Empty: the user is asked for nothing.
	Fields []Field

	// Response is the field for a response: its Type, InputMode and Autocomplete. The zero value
	// is a text field that takes codes which phones offer ("one-time-code"). With the Type "none"
	// the page has no field, and verify.html has an input with the name "code". The pages of a
	// kind that is factor.Traits.Polled have no field: they wait for the decision of the user.
	Response Field
}

// Field is an input of a form.
type Field struct {
	// Name is lower-case letters, digits and underscores, and not the name of a field that every
	// form has, such as "name" or "code".
	Name string
	// Type is that of the HTML input: "text", "password", "tel", "email", "url", "number" or
	// "date". Defaults to "text". What the user typed is shown again after an error, except for
	// a password.
	Type string
	// InputMode and Autocomplete are the attributes of the HTML input. Autocomplete defaults to
	// "off".
	InputMode, Autocomplete string
	// MaxLength is how many characters are accepted. A longer value is refused, and never cut:
	// a user would not see that a part is missing. Defaults to 256, the most.
	MaxLength int
	// Optional says that the field may be empty.
	Optional bool
}

// Kinds returns Config.Kinds, for pages that name kinds as the Handler's own do.
func (h *Handler) Kinds() []Kind { return slices.Clone(h.cfg.Kinds) }

// checkKinds decides whether the Manager has the kinds that are described.
func (cfg *Config) checkKinds() error {
	for _, k := range cfg.Kinds {
		if !slices.Contains(cfg.Manager.Kinds(), k.Kind) {
			return fmt.Errorf("mfahttp: Config.Kinds describes %q, which the Manager does not "+
				"have: add its factor to the Manager's Factors, or leave it out", k.Kind)
		}
	}
	return nil
}

// kinds returns the descriptions for the pages.
func (cfg *Config) kinds() []ui.Kind {
	list := make([]ui.Kind, len(cfg.Kinds))
	for i, k := range cfg.Kinds {
		list[i] = ui.Kind{Kind: k.Kind, Files: k.Files, Response: ui.Field(k.Response)}
		for _, f := range k.Fields {
			list[i].Fields = append(list[i].Fields, ui.Field(f))
		}
	}
	return list
}

// fieldProblem is a value that a form does not take. The factor was not asked.
type fieldProblem struct {
	*factor.Problem
	field string
}

// Unwrap returns the Problem.
func (p *fieldProblem) Unwrap() error { return p.Problem }
