package phone

import (
	"fmt"
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

// former are forms of numbers that plans no longer have, and that contacts and forms still hold:
// the digits after the calling code, and what they are now.
var former = []struct {
	code int32 // 0: any
	was  *regexp.Regexp
	now  string
}{
	// Mexico dropped "1", "01", "044" and "045" before ten digits on 3 August 2019.
	{52, regexp.MustCompile(`^(?:1|01|044|045)(\d{10})$`), "$1"},
	// Brazil put a 9 before the eight digits of mobile numbers between 2012 and 2016.
	{55, regexp.MustCompile(`^(\d{2})([6-9]\d{7})$`), "${1}9$2"},
	// Argentina writes a mobile number with 15 after the area code at home, and with 9 before it
	// from abroad. Some users write both.
	{54, regexp.MustCompile(`^9(\d{2,4})15(\d{6,8})$`), "9$1$2"},
	// Colombia put 60 before the area code of fixed lines on 1 September 2021.
	{57, regexp.MustCompile(`^([124-8]\d{7})$`), "60$1"},
	// Benin put 01 before all numbers on 30 November 2024.
	{229, regexp.MustCompile(`^(\d{8})$`), "01$1"},
	// Chile, Poland and others have no zero any more before a number at home.
	{0, regexp.MustCompile(`^0+(\d+)$`), "$1"},
}

// present returns n in the form that its numbering plan has now. A number that the plan has stays
// as it is, and so does one whose present form the plan does not have.
func present(n *phonenumbers.PhoneNumber) *phonenumbers.PhoneNumber {
	if phonenumbers.IsValidNumber(n) {
		return n
	}
	national := phonenumbers.GetNationalSignificantNumber(n)
	for _, f := range former {
		if f.code != 0 && f.code != n.GetCountryCode() || !f.was.MatchString(national) {
			continue
		}
		now := f.was.ReplaceAllString(national, f.now)
		m, ok := parse(fmt.Sprintf("+%d%s", n.GetCountryCode(), now), "")
		if ok && phonenumbers.IsValidNumber(m) {
			return m
		}
	}
	return n
}
