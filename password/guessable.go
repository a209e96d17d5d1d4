package password

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
)

// commonText are the passwords at the top of ten million that had leaked (Mark Burnett, 2015,
// counted by zxcvbn, see common.LICENSE), in lower case, one a line: the eleven thousand of at
// least 8 characters among the first thirty thousand, and the first three thousand that are
// shorter. OWASP ASVS 5.0 6.2.4 asks for three thousand that the rules would let pass.
//
//go:embed common.txt
var commonText string

// common finds a whole line. What it is given holds no line feed: Check has refused it.
func common(s string) bool {
	return strings.Contains(commonText, "\n"+s+"\n") || strings.HasPrefix(commonText, s+"\n")
}

// lines that fingers and minds walk along, there and back, from any place.
var walks = [...]string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop",
	"asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "q1w2e3r4t5y6u7i8o9p0",
	"1q2w3e4r5t6y7u8i9o0p"}

// guessable returns why an attacker would try the password early, or nil. It looks at the whole
// password: words inside a longer one are no reason (NIST SP 800-63B-4 section 3.1.1.2).
func (r *Rules) guessable(s string, a Account) error {
	lower := strings.ToLower(s)
	switch {
	case repeated(lower):
		return &factor.Problem{Reason: "password_repeated",
			Detail: "it repeats a character or a short part"}
	case common(lower), walked(lower), padded(lower):
		return &factor.Problem{Reason: "password_common",
			Detail: "it is one of those that are tried first"}
	case personal(lower, append(ownWords(a), r.Words...)):
		return &factor.Problem{Reason: "password_personal",
			Detail: "it is little more than a name that others know"}
	}
	return nil
}

// repeated: one part of at most half the length, over and over, or at most two different
// characters.
func repeated(s string) bool {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return true
		}
	}
	kinds := map[rune]bool{}
	for _, c := range s {
		kinds[c] = true
	}
	return len(kinds) <= 2
}

// walked: nothing but walks of at least three steps, one after the other, as in
// qwertyuiop12345.
func walked(s string) bool {
	for s != "" {
		n := 0
		for _, line := range walks {
			n = max(n, along(s, line), along(s, reversed(line)))
		}
		if n < 3 {
			return false
		}
		s = s[n:]
	}
	return true
}

// along is how many bytes at the start of s follow line.
func along(s, line string) int {
	longest := 0
	for from := range line {
		n := 0
		for n < len(s) && from+n < len(line) && s[n] == line[from+n] {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// padded finds a common password that is longer by counting or by repeating one sign, at either
// end. Each cut takes a walk through the list, so only lengths that users type are cut.
func padded(s string) bool {
	if len(s) > mostMinLength {
		return false
	}
	for cut := 3; cut < len(s)-3; cut++ {
		if filler(s[cut:]) && common(s[:cut]) || filler(s[:cut]) && common(s[cut:]) {
			return true
		}
	}
	return false
}

func filler(s string) bool {
	if strings.Trim(s, s[:1]) == "" {
		return true
	}
	return strings.Trim(s, "0123456789") == "" && walked(s)
}

// ownWords returns what others know about the user.
func ownWords(a Account) []string {
	local, domain, _ := strings.Cut(a.Email, "@")
	words := append([]string{a.Email, local, domain, a.Name},
		strings.FieldsFunc(local+" "+domain+" "+a.Name, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c)
		})...)
	return append(words, a.Words...)
}

// mostAround is how many characters around the words of a password do not make it strong: enough
// for a date.
const mostAround = 8

// personal: at most mostAround characters are left when the words are taken out.
func personal(s string, words []string) bool {
	folded := make([]string, 0, len(words))
	for _, w := range words {
		// A long text in the configuration or in a user's name means more than one word.
		if w = strings.ToLower(w); utf8.RuneCountInString(w) >= 3 && len(w) <= MaxBytes {
			folded = append(folded, w)
		}
	}
	// the longest first, so that a part of it leaves no rest
	slices.SortFunc(folded, func(a, b string) int { return len(b) - len(a) })
	rest := s
	for _, w := range folded {
		rest = strings.ReplaceAll(rest, w, "")
	}
	return rest != s && utf8.RuneCountInString(rest) <= mostAround
}
