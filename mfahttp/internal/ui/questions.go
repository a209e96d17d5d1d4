package ui

import (
	"slices"
	"strconv"
)

// This file has the form for security questions.

// ownQuestion is the value of the list of questions for a user who writes one. It is too short
// for a question.
const ownQuestion = "own"

// questionCount is how many questions there are.
const questionCount = 3

// questionFields are the inputs of all questions.
var questionFields = func() (list []field) {
	for i := range questionCount {
		n := strconv.Itoa(i + 1)
		list = append(list, field{ID: "question" + n, Type: "select", Autocomplete: "off"},
			field{ID: "own" + n, Type: "text", Autocomplete: "off", own: true},
			field{ID: "answer" + n, Type: "text", Autocomplete: "off", once: true})
	}
	return list
}()

// question is the part of the form about one question.
type question struct {
	Number int
	// Choice is the list of suggested questions. Own is true for a user who writes one.
	Choice      field
	Suggestions []string
	Own         bool
	// Written is for a question of the user's own.
	Written field
	Answer  field
}

// questions makes the parts of the form for security questions. Without suggestions users write
// their own.
func (c *catalog) questions(p Enroll) (list []question, err error) {
	focused := false
	for i := range questionCount {
		q := question{Number: i + 1, Suggestions: p.Questions}
		n := strconv.Itoa(i + 1)
		if q.Choice, err = c.questionField(p, "question"+n, "questions.question"); err != nil {
			return nil, err
		}
		if q.Written, err = c.questionField(p, "own"+n, "questions.own"); err != nil {
			return nil, err
		}
		if q.Answer, err = c.questionField(p, "answer"+n, "questions.answer"); err != nil {
			return nil, err
		}
		if err := c.arrange(&q); err != nil {
			return nil, err
		}
		for _, in := range []*field{&q.Choice, &q.Written, &q.Answer} {
			in.Focus = in.Text != "" && !focused
			focused = focused || in.Focus
		}
		list = append(list, q)
	}
	return list, nil
}

// questionField makes one field of a question.
func (c *catalog) questionField(p Enroll, id, label string) (field, error) {
	in, _ := c.look("questions").field(id)
	in.Required = !in.own
	var err error
	if in.Label, err = c.text(label); err != nil {
		return in, err
	}
	return c.fieldState(in, p.Frame, "enroll")
}

// arrange decides which of the two fields of a question the user sees, and moves to it what is
// wrong with the question.
func (c *catalog) arrange(q *question) (err error) {
	typed := q.Choice.Value
	switch {
	case len(q.Suggestions) == 0: // the only field has the name of the parameter
		q.Choice.Type = "text"
		q.Written = q.Choice
		return nil
	case typed == "" && q.Choice.Text != "":
		q.Choice.Text, err = c.text("questions.choose")
	case typed == ownQuestion:
		q.Own = true
	case typed != "" && !slices.Contains(q.Suggestions, typed):
		// The suggestions have changed since, or are in another language.
		q.Own, q.Written.Value = true, typed
	}
	if q.Own {
		q.Written.Text, q.Choice.Text = q.Choice.Text, ""
	}
	return err
}
