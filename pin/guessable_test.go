package pin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/secret"
)

var errHash = errors.New("this PIN would be hashed")

// refusal returns the reason for which a PIN is refused, or "".
func refusal(t *testing.T, cfg pin.Config, u factor.User, p string) string {
	t.Helper()
	cfg.MinLength = 4
	cfg.Refuse = func(factor.User, string) error { return errHash }
	_, err := newFactor(t, cfg).Enroll(t.Context(), factor.EnrollInput{User: u,
		Params: map[string]secret.Text{"pin": secret.New(p)}})
	if errors.Is(err, errHash) {
		return ""
	}
	return reason(err)
}

func TestEnroll_RefusesEveryDateOfTwoCenturies(t *testing.T) {
	layouts := []string{"2006", "0102", "0201", "200601", "012006", "20060102", "20060201",
		"01022006", "02012006"}
	end := time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)
	for day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC); !day.After(end); {
		for _, layout := range layouts {
			p := day.Format(layout)
			require.Contains(t, []string{"pin_common", "pin_repeated"},
				refusal(t, pin.Config{}, factor.User{}, p), p)
		}
		day = day.AddDate(0, 0, 17) // every day of the year occurs in some year
	}
}

// Each is no date by one part alone.
func TestEnroll_AcceptsWhatIsAlmostADate(t *testing.T) {
	for _, p := range []string{
		"3212", "3201", "1132", "3224", "2400", "1200", "2413", // two parts
		"198400", "198413", "131984", "001984", "218412", "128421", // month and year
		"24128412", "24122184", "84122412", "32131984", "19843213", "19840024", // with a day
	} {
		require.Empty(t, refusal(t, pin.Config{}, factor.User{}, p), p)
	}
	require.Empty(t, refusal(t, pin.Config{AllowLetters: true}, factor.User{}, "19ab"))
}

func TestEnroll_RefusesPartsOfRows(t *testing.T) {
	for _, p := range []string{"bcdefg", "yxwvut", "wertyu", "sdfghj", "xcvbnm", "WERTYU"} {
		require.Equal(t, "pin_common",
			refusal(t, pin.Config{AllowLetters: true}, factor.User{}, p), p)
	}
}

func TestEnroll_CountsDifferentCharacters(t *testing.T) {
	for p, want := range map[string]string{
		"737337":   "pin_repeated", // two
		"773399":   "pin_repeated", // three, in pairs
		"739379":   "",             // three
		"77339911": "",             // four, in pairs
	} {
		require.Equal(t, want, refusal(t, pin.Config{}, factor.User{}, p), p)
	}
}

func TestEnroll_ComparesWithWhatIsKnownOfTheUser(t *testing.T) {
	u := factor.User{ID: "Tulip-90", Account: "Kim7@example.com", Email: "sam.r@example.com",
		Phone: "tel:+31 (6) 9083-7461"}
	for p, want := range map[string]string{
		"tulip-90": "pin_personal", "lip-9": "pin_personal", "my-TULIP-90!": "pin_personal",
		"kim7": "pin_personal", "_Kim7_": "pin_personal", "m7.rose": "",
		"sam.r!": "pin_personal", "example.c": "",
		"3169083": "pin_personal", "908374": "pin_personal", "00-31690837461": "pin_personal",
		"tel:+3": "",
	} {
		require.Equal(t, want, refusal(t, pin.Config{AllowLetters: true}, u, p), p)
	}
	require.Empty(t, refusal(t, pin.Config{AllowLetters: true}, factor.User{Account: "kim"},
		"my-kim-7"), "three characters occur by chance")
}
