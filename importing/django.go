package importing

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
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
// and length (10 of 8 digits).
//
// A fixture is in no order of users, so it is read to its end before the first user. Its rows are
// read one by one. What they have of factors is kept in memory, up to 1 GB; a larger one is an
// error.
//
// Secrets that the adapter of an application encrypts cannot be read.
func Django(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		users, err := readFixture(r, maxFixture)
		if err != nil {
			yield(User{}, err)
			return
		}
		for _, id := range slices.SortedFunc(maps.Keys(users), bySize) {
			u := User{User: mfa.User{ID: id}}
			for _, f := range users[id] {
				if f.left != "" {
					u.NotMoved = append(u.NotMoved, f.left)
					continue
				}
				u.Factors = append(u.Factors, f.request())
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

// maxFixture is how much is kept of a fixture, in bytes.
const maxFixture = 1 << 30

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
			Used         *uint64  `json:"used_mask"`
			Migrated     []string `json:"migrated_codes"`
		}
	} `json:"fields"`
}

// djangoModels are those of the rows that are read.
var djangoModels = []string{"otp_totp.totpdevice", "otp_static.staticdevice",
	"otp_static.statictoken", "mfa.authenticator"}

// djangoFactor is what is kept of a factor until its user is yielded.
type djangoFactor struct {
	name, secret   string
	digits, period int      // zero if they are the usual ones
	codes          []string // of recovery, which has no secret
	left           string   // what is not moved, or ""
}

func (f djangoFactor) request() mfa.EnrollRequest {
	if f.codes != nil {
		return mfa.EnrollRequest{Kind: "recovery",
			Params: texts(map[string]string{"codes": strings.Join(f.codes, "\n")})}
	}
	params := map[string]string{"secret": f.secret}
	if f.period != 0 || f.digits != 0 {
		params["digits"], params["period"] = strconv.Itoa(f.digits), strconv.Itoa(f.period)
	}
	return mfa.EnrollRequest{Kind: "totp", Name: f.name, Params: texts(params)}
}

// fixture is what has been read of a fixture.
type fixture struct {
	users   map[string][]djangoFactor
	devices map[string]string // confirmed static devices: the user of each
	// unconfirmed are the other static devices.
	unconfirmed map[string]bool
	tokens      map[string][]string // the tokens of each
	free        int64               // how much more may be kept
	// rows is how many there are, and known how many have a model that is read.
	rows, known int
}

// Each row that is kept takes about as much in memory as its texts and this, and each text as much
// as its bytes and this.
const (
	perRow  = 128
	perText = 16
)

// keep counts what is kept of a row.
func (f *fixture) keep(texts ...string) error {
	f.free -= perRow
	for _, text := range texts {
		f.free -= perText + int64(len(text))
	}
	if f.free < 0 {
		return fmt.Errorf("%w: its factors do not fit into %d MB: dump the users in parts",
			errExport, maxFixture>>20)
	}
	return nil
}

var errNoFixture = fmt.Errorf("%w: it is no fixture of django-otp or allauth", errExport)

// readFixture reads a fixture of which it keeps so much at most. It has one row at a time.
func readFixture(r io.Reader, most int64) (map[string][]djangoFactor, error) {
	f := fixture{users: map[string][]djangoFactor{}, devices: map[string]string{},
		unconfirmed: map[string]bool{}, tokens: map[string][]string{}, free: most}
	from := newBounded(r)
	in := from.decoder()
	err := errNoFixture // of an empty file
	for begin := next(in); begin != 0; begin = next(in) {
		if err = f.list(in); err != nil {
			break
		}
	}
	if f.rows > 0 && f.known == 0 {
		err = errNoFixture
	}
	if err := from.why(err); err != nil {
		return nil, err
	}
	for _, device := range slices.Sorted(maps.Keys(f.tokens)) {
		user, ok := f.devices[device]
		switch {
		case ok:
			f.codes(user, f.tokens[device])
		case !f.unconfirmed[device]:
			return nil, fmt.Errorf("%w: the device %q of static tokens is not in it", errExport,
				device)
		}
	}
	return f.users, nil
}

// list reads a list to its end.
func (f *fixture) list(in *json.Decoder) error {
	if begin, err := in.Token(); err != nil || begin != json.Delim('[') {
		return errNoFixture
	}
	for in.More() {
		var row djangoRow
		if err := in.Decode(&row); err != nil {
			return errNoFixture
		}
		if err := f.add(row); err != nil {
			return fmt.Errorf("%w: %s %s: %w", errExport, row.Model, row.PK, err)
		}
	}
	if _, err := in.Token(); err != nil {
		return errNoFixture
	}
	return nil
}

func (f *fixture) codes(user string, list []string) {
	if len(list) > 0 {
		f.users[user] = append(f.users[user], djangoFactor{codes: list})
	}
}

func (f *fixture) add(row djangoRow) error {
	from := row.Fields
	user := key(from.User)
	f.rows++
	plugin := strings.HasPrefix(row.Model, "otp_") || strings.HasPrefix(row.Model, "two_factor.")
	if plugin || slices.Contains(djangoModels, row.Model) {
		f.known++
	}
	switch row.Model {
	case "otp_totp.totpdevice":
		raw, err := hex.DecodeString(from.Key)
		if err != nil || from.T0 != 0 {
			return fmt.Errorf("its key is not hexadecimal, or its time does not begin at zero")
		}
		if from.Confirmed {
			f.users[user] = append(f.users[user], djangoFactor{name: from.Name,
				secret: base32Of(raw), digits: from.Digits, period: from.Step})
			return f.keep(user, from.Name, from.Key)
		}
		return f.leave(user, "an app that the user has not confirmed")
	case "otp_static.staticdevice":
		if from.Confirmed {
			f.devices[key(row.PK)] = user
			return f.keep(user, string(row.PK))
		}
		f.unconfirmed[key(row.PK)] = true
		return f.leave(user, "static tokens that the user has not confirmed", string(row.PK))
	case "otp_static.statictoken":
		device := key(from.Device)
		f.tokens[device] = append(f.tokens[device], from.Token)
		return f.keep(device, from.Token)
	case "mfa.authenticator":
		return f.addAllauth(user, row)
	default:
		if plugin && user != "" { // such as a device that counts codes, or one of a plugin
			return f.leave(user, fmt.Sprintf("a device of the model %q", row.Model))
		}
	}
	return nil
}

// leave keeps what a user has that is not moved, and counts other texts that are kept of it.
func (f *fixture) leave(user, what string, others ...string) error {
	f.users[user] = append(f.users[user], djangoFactor{left: what})
	return f.keep(append(others, user, what)...)
}

func (f *fixture) addAllauth(user string, row djangoRow) error {
	switch data := row.Fields.Data; row.Fields.Type {
	case "totp":
		f.users[user] = append(f.users[user], djangoFactor{secret: data.Secret})
		return f.keep(user, data.Secret)
	case "recovery_codes":
		codes := data.Migrated
		if codes == nil {
			// Attackers can compute the codes of no seed. A used code must not be valid again.
			seed, err := hex.DecodeString(data.Seed)
			if err != nil || len(seed) < minSeed || data.Used == nil {
				return errors.New("its codes have no seed, or an encrypted one, or nothing says " +
					"which were used")
			}
			codes = allauthCodes(data.Seed, *data.Used)
		}
		f.codes(user, codes)
		return f.keep(append(codes, user)...)
	case "webauthn":
		return f.leave(user, "a passkey or a security key")
	default:
		return f.leave(user, fmt.Sprintf("an authenticator of the type %q", row.Fields.Type))
	}
}

// minSeed is how many bytes the seed of recovery codes has at least. allauth makes 40.
const minSeed = 16

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

// key returns a primary key, a number or a text, as text. What is neither is "", which is no ID: a
// user under another ID than the application's would sign in without a second factor.
func key(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(raw, &number) != nil {
		return ""
	}
	return number.String()
}
