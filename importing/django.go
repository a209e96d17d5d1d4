package importing

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// Django reads a fixture of django-otp or of django-allauth, in one or several lists:
//
//	manage.py dumpdata otp_totp otp_static
//	manage.py dumpdata mfa
//
// The ID of a user is the primary key of the users' table, as text. It takes confirmed devices
// with time-based codes, static tokens, and the recovery codes of allauth with its default number
// and length (10 of 8 digits). A fixture is in no order of users, so it is read as a whole.
//
// Secrets that the adapter of an application encrypts cannot be read.
func Django(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		users, err := readFixture(r)
		if err != nil {
			yield(User{}, err)
			return
		}
		for _, id := range slices.SortedFunc(maps.Keys(users), bySize) {
			if !yield(*users[id], nil) {
				return
			}
		}
	}
}

// bySize orders numbers that are texts.
func bySize(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

type djangoRow struct {
	Model  string          `json:"model"`
	PK     json.RawMessage `json:"pk"`
	Fields struct {
		User      json.RawMessage
		Device    json.RawMessage
		Name, Key string
		Token     string
		Confirmed bool
		Step      int
		T0        int
		Digits    int
		Type      string
		Data      struct {
			Secret, Seed string
			Used         uint64   `json:"used_mask"`
			Migrated     []string `json:"migrated_codes"`
		}
	} `json:"fields"`
}

// fixture is what has been read of a fixture.
type fixture struct {
	users   map[string]*User
	devices map[string]string   // static devices: the user of each
	tokens  map[string][]string // the tokens of each
}

func readFixture(r io.Reader) (map[string]*User, error) {
	f := fixture{map[string]*User{}, map[string]string{}, map[string][]string{}}
	in := json.NewDecoder(r)
	for {
		var rows []djangoRow
		err := in.Decode(&rows)
		if err == io.EOF { //nolint:errorlint // Decode returns it as it is
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: it is no fixture of django-otp or allauth", errExport)
		}
		for _, row := range rows {
			if err := f.add(row); err != nil {
				return nil, fmt.Errorf("%w: %s %s: %w", errExport, row.Model, row.PK, err)
			}
		}
	}
	for _, device := range slices.Sorted(maps.Keys(f.tokens)) {
		if user, ok := f.devices[device]; ok {
			f.codes(user, f.tokens[device])
		}
	}
	return f.users, nil
}

func (f fixture) user(id string) *User {
	if f.users[id] == nil {
		f.users[id] = &User{User: mfa.User{ID: id}}
	}
	return f.users[id]
}

func (f fixture) codes(user string, list []string) {
	u := f.user(user)
	if len(list) > 0 {
		u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: "recovery",
			Params: texts(map[string]string{"codes": strings.Join(list, "\n")})})
	}
}

func (f fixture) add(row djangoRow) error {
	from := row.Fields
	user := key(from.User)
	switch row.Model {
	case "otp_totp.totpdevice":
		raw, err := hex.DecodeString(from.Key)
		if err != nil || from.T0 != 0 {
			return fmt.Errorf("its key is not hexadecimal, or its time does not begin at zero")
		}
		if from.Confirmed {
			u := f.user(user)
			u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: "totp", Name: from.Name,
				Params: texts(map[string]string{"secret": base32Of(raw),
					"digits": strconv.Itoa(from.Digits), "period": strconv.Itoa(from.Step)})})
		}
	case "otp_static.staticdevice":
		if from.Confirmed {
			f.devices[key(row.PK)] = user
		}
	case "otp_static.statictoken":
		device := key(from.Device)
		f.tokens[device] = append(f.tokens[device], from.Token)
	case "mfa.authenticator":
		f.addAllauth(user, row)
	}
	return nil
}

func (f fixture) addAllauth(user string, row djangoRow) {
	switch data := row.Fields.Data; row.Fields.Type {
	case "totp":
		u := f.user(user)
		u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: "totp",
			Params: texts(map[string]string{"secret": data.Secret})})
	case "recovery_codes":
		codes := data.Migrated
		if codes == nil {
			codes = allauthCodes(data.Seed, data.Used)
		}
		f.codes(user, codes)
	}
}

// allauthCodes returns the codes of a seed that were not used. Each is made of the HMAC-SHA1, with
// the seed as its key, of the numbers up to its own.
func allauthCodes(seed string, used uint64) (codes []string) {
	h := hmac.New(sha1.New, []byte(seed))
	for i := range 10 {
		fmt.Fprintf(h, "%3d,", i)
		if used&(1<<i) == 0 {
			n := binary.BigEndian.Uint32(h.Sum(nil)) % 100_000_000
			codes = append(codes, fmt.Sprintf("%08d", n))
		}
	}
	return codes
}

// key returns a primary key, a number or a text, as text.
func key(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }
