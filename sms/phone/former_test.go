package phone_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
)

// Contacts and forms hold numbers as they were before a country changed its plan.
func TestParse_WritesFormerNumbersInThePresentForm(t *testing.T) {
	for _, c := range []struct{ in, region, want string }{
		{"+52 1 55 1234 5678", "", "+525512345678"},
		{"+5215512345678", "", "+525512345678"},
		{"044 55 1234 5678", "MX", "+525512345678"},
		{"045 55 1234 5678", "MX", "+525512345678"},
		{"01 55 1234 5678", "MX", "+525512345678"},
		{"55 1234 5678", "MX", "+525512345678"},
		{"+55 11 8765-4321", "", "+5511987654321"},
		{"+54 9 11 15 2345-6789", "", "+5491123456789"},
		{"+54 11 15 2345-6789", "", "+5491123456789"},
		{"+57 1 234 5678", "", "+576012345678"},
		{"+229 97 12 34 56", "", "+2290197123456"},
		{"97 12 34 56", "BJ", "+2290197123456"},
		{"+229 01 97 12 34 56", "", "+2290197123456"},
		{"+225 07 08 09 10 11", "", "+2250708091011"},
		{"+48 0 512 345 678", "", "+48512345678"},
		{"+39 06 1234 5678", "", "+390612345678"}, // Italy keeps its zero
		{"+241 062 12 34 56", "", "+24162123456"},
		{"+370 8 612 34567", "", "+37061234567"},
	} {
		got, err := phone.Parse(c.in, sms.Region(c.region))
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, c.in)
	}
}

// A number that has no present form stays what it is, or is refused: it never becomes another
// country's, nor a number that nobody has.
func TestParse_LeavesOtherNumbersAsTheyAre(t *testing.T) {
	for in, want := range map[string]string{
		"+1 555 123 4567":     "+15551234567",
		"+447700900123":       "+447700900123", // for films
		"+49 30 23125 000":    "+493023125000",
		"+52 55 1234 5678":    "+525512345678",
		"+229 02 12 34 56":    "+22902123456",
		"+52 1 55 1234":       "",
		"+225 08 09 10 11":    "", // the new first digits depend on the operator
		"+52 1 55 1234 56789": "",
	} {
		got, err := phone.Parse(in, "")
		if want == "" {
			require.Equal(t, "number_length", reason(err), in)
			continue
		}
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}
