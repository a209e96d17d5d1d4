package mfatest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/secret"
)

// text is what messages and keys are made of: a string, or one that does not print.
type text interface{ string | secret.Text }

func reveal[T text](of T) string {
	if s, ok := any(of).(secret.Text); ok {
		return s.Reveal()
	}
	return any(of).(string)
}

// Code returns the code in the text of a message: 6 to 10 digits that stand alone, outside of
// links. A code that the text repeats, as in the last line of an SMS, counts once. The test fails
// if there is no code, or more than one.
//
//	mail, _ := outbox.Last()
//	code := mfatest.Code(t, mail.Text)
func Code[T text](t testing.TB, message T) string {
	t.Helper()
	code, err := codeIn(reveal(message))
	if err != nil {
		t.Fatalf("mfatest.Code: %v", err)
	}
	return code
}

// Link returns the link in the text of a message, an http or https URL. A link that the text
// repeats counts once. The test fails if there is no link, or more than one.
func Link[T text](t testing.TB, message T) string {
	t.Helper()
	links := unique(linkForm.FindAllString(reveal(message), -1), func(link string) string {
		return strings.TrimRight(link, ".,;:!?)'")
	})
	switch len(links) {
	case 0:
		t.Fatalf("mfatest.Link: the message has no link")
	case 1:
		if _, err := url.Parse(links[0]); err != nil {
			t.Fatalf("mfatest.Link: the link in the message is not a URL")
		}
		return links[0]
	}
	t.Fatalf("mfatest.Link: the message has %d links, so the test must choose one", len(links))
	return ""
}

var (
	linkForm = regexp.MustCompile(`https?://[^\s<>"]+`)
	// wordForm finds whole words, so that the digits of "A1234567" are not a code.
	wordForm = regexp.MustCompile(`[\p{L}\p{N}_+-]+`)
	codeForm = regexp.MustCompile(`^[0-9]{6,10}$`)
)

// codeIn returns the one code in a text. Its errors quote nothing of the text.
func codeIn(s string) (string, error) {
	words := wordForm.FindAllString(linkForm.ReplaceAllString(s, " "), -1)
	codes := unique(slices.DeleteFunc(words, func(word string) bool {
		return !codeForm.MatchString(word)
	}), func(code string) string { return code })
	switch len(codes) {
	case 0:
		return "", errors.New("the message has no code, which is 6 to 10 digits")
	case 1:
		return codes[0], nil
	}
	return "", fmt.Errorf("the message has %d codes, so the test must choose one", len(codes))
}

// unique returns each of list once, in its final form.
func unique(list []string, form func(string) string) (each []string) {
	for _, s := range list {
		if s = form(s); !slices.Contains(each, s) {
			each = append(each, s)
		}
	}
	return each
}
