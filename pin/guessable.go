package pin

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/mfa/factor"
)

// common are PINs and passwords that lists of leaked ones have at their top, one a line,
// sorted: those that no rule below finds.
//
//go:embed common.txt
var commonText string

// guessable says why others would try the PIN early, or nil. The rules stand for lists: they
// cover every length, and far more than the three thousand entries that OWASP ASVS 5.0 6.2.4
// asks for.
func guessable(p factor.User, pin string) error {
	lower := strings.ToLower(pin)
	switch {
	case repeated(lower):
		return &factor.Problem{Reason: "pin_repeated",
			Detail: "it repeats a character or a short part"}
	case walk(lower, "0123456789012345678909876543210987654321"),
		walk(lower, "abcdefghijklmnopqrstuvwxyz"), walk(lower, "zyxwvutsrqponmlkjihgfedcba"),
		walk(lower, "qwertyuiop"), walk(lower, "asdfghjkl"), walk(lower, "zxcvbnm"), keypad(lower),
		date(lower), common(lower):
		return &factor.Problem{Reason: "pin_common",
			Detail: "it is one of those that are tried first"}
	case personal(p, lower):
		return &factor.Problem{Reason: "pin_personal",
			Detail: "it is a part of your name, address or number"}
	}
	return nil
}

// repeated reports whether s is one part of at most half its length, over and over, or has at
// most two different characters.
func repeated(s string) bool {
	for n := 1; n <= len(s)/2; n++ {
		if strings.Repeat(s[:n], len(s)/n) == s {
			return true
		}
	}
	kinds := map[byte]bool{}
	pairs := true // 112233
	for i := range len(s) {
		kinds[s[i]] = true
		pairs = pairs && s[i] == s[i&^1]
	}
	return len(kinds) <= 2 || pairs && len(kinds) <= 3
}

func walk(s, along string) bool { return strings.Contains(along, s) }

// keypad reports whether s is one of the lines and loops over the keys of a number pad.
func keypad(s string) bool {
	return slices.Contains([]string{"2580", "0852", "1470", "3690", "147258", "258369", "147369",
		"159357", "357159", "159753", "753159",
		"741852", "852963", "963852", "123654", "321456", "789456", "456789", "147852", "258147",
		"142536", "14725836", "147258369",
		"741852963", "963852741", "369258147", "123698745", "12369874", "987456321", "14789632",
		"159263", "135790", "246810", "13579", "24680",
		"102030", "112358", "314159", "3141592", "271828", "27182818", "31415926"}, s)
}

// date reports whether s is a year of birth of users alive, or a day and a month with one, in
// the usual orders.
func date(s string) bool {
	if strings.Trim(s, "0123456789") != "" {
		return false
	}
	switch len(s) {
	case 4:
		return year(s) || dayMonth(s)
	case 6: // ddmmyy and mmddyy would refuse a third of all; yymmdd too
		return year(s[:4]) && month(s[4:]) || year(s[2:]) && month(s[:2])
	case 8:
		return year(s[4:]) && dayMonth(s[:4]) || year(s[:4]) && dayMonth(s[4:])
	default:
		return false
	}
}

func year(s string) bool { return s[:2] == "19" || s[:2] == "20" }

func month(s string) bool { return s >= "01" && s <= "12" }

// dayMonth is for four digits, in either order.
func dayMonth(s string) bool {
	day := func(s string) bool { return s >= "01" && s <= "31" }
	return day(s[:2]) && month(s[2:]) || month(s[:2]) && day(s[2:])
}

func common(s string) bool {
	lines := strings.Fields(commonText)
	_, found := slices.BinarySearch(lines, s)
	return found
}

// personal reports whether the user's ID, account, local part of the address, or number holds
// the PIN, or the PIN holds one of them.
func personal(p factor.User, s string) bool {
	local, _, _ := strings.Cut(p.Email, "@")
	account, _, _ := strings.Cut(p.Account, "@")
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, p.Phone)
	for _, own := range []string{p.ID, account, local, digits} {
		own = strings.ToLower(own)
		if len(own) >= 4 && (strings.Contains(own, s) || strings.Contains(s, own)) {
			return true
		}
	}
	return false
}
