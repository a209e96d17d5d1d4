package importing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// JSONLines reads the format of this package, one JSON object for each user:
//
//	{"id": "ann", "tenant": "", "account": "ann@example.com", "factors": [
//	  {"kind": "totp", "name": "Phone", "params": {"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}},
//	  {"kind": "recovery", "params": {"hashes": "$2y$10$…\n$2y$10$…", "form": "xxxxx-xxxxx"}}]}
//
// The parameters are those that the kind documents for an import. "user_type", "email", "phone",
// "locale" and "not_moved" may be there, too. An unknown field is an error, as it may be a misspelt
// one.
//
// It also reads what package exporting writes, and several such files one after the other. Such a
// file has a last line, so that one that was cut off is an error that wraps io.ErrUnexpectedEOF, as
// is an empty one. A part of an export without the next one, and an export that some records could
// not be read for, are errors, too. The users before an error are yielded first. An error of r,
// such as one of decryption, is wrapped.
func JSONLines(r io.Reader) Users {
	return func(yield func(User, error) bool) {
		from := &linesReader{in: newBounded(r)}
		from.lines = from.in.decoder()
		from.lines.DisallowUnknownFields()
		for {
			line, err := from.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(User{}, err)
				return
			}
			if !yield(line.user(), nil) {
				return
			}
		}
	}
}

// exportFormat is the name and the version of what package exporting writes.
const exportFormat = "secondgate export 1"

// jsonLine is a line of a file: a user, or the first or the last line of an export.
type jsonLine struct {
	ID       string       `json:"id"`
	Tenant   string       `json:"tenant"`
	UserType string       `json:"user_type"`
	Account  string       `json:"account"`
	Email    string       `json:"email"`
	Phone    string       `json:"phone"`
	Locale   string       `json:"locale"`
	Factors  []jsonFactor `json:"factors"`
	NotMoved []string     `json:"not_moved"`

	Format     string `json:"format"`
	Exported   string `json:"exported"`
	End        string `json:"end"`
	Users      int    `json:"users"`
	Unreadable int    `json:"unreadable"`
	Next       string `json:"next"`
}

type jsonFactor struct {
	Kind   string            `json:"kind"`
	Name   string            `json:"name"`
	Params map[string]string `json:"params"`
}

func (line jsonLine) user() User {
	u := User{User: mfa.User{ID: line.ID, Tenant: line.Tenant, UserType: line.UserType,
		Account: line.Account, Email: line.Email, Phone: line.Phone, Locale: line.Locale},
		NotMoved: line.NotMoved}
	for _, f := range line.Factors {
		u.Factors = append(u.Factors, mfa.EnrollRequest{Kind: f.Kind, Name: f.Name,
			Params: texts(f.Params)})
	}
	return u
}

// linesReader reads the lines of users, and sees to the others.
type linesReader struct {
	in    *bounded
	lines *json.Decoder
	n     int // lines that were read
	// export says that a first line was read, and no last one since. users are those between.
	export bool
	users  int
	// unreadable is how many records the exports do not have, and part where the last export goes
	// on in another file, or "".
	unreadable int
	part       string
}

// next returns the line of the next user, or io.EOF.
func (l *linesReader) next() (jsonLine, error) {
	for {
		var line jsonLine
		l.n++
		if err := l.lines.Decode(&line); err != nil {
			return line, l.ended(err)
		}
		switch {
		case line.Format != "":
			if line.Format != exportFormat || l.export {
				return line, fmt.Errorf("%w: line %d begins an export of another version, or "+
					"one within another", errExport, l.n)
			}
			l.export, l.users, l.part = true, 0, ""
		case line.End != "":
			if err := l.last(line); err != nil {
				return line, err
			}
		default:
			l.users++
			return line, nil
		}
	}
}

// last checks the last line of an export.
func (l *linesReader) last(line jsonLine) error {
	if line.End != exportFormat || !l.export || line.Users != l.users {
		return fmt.Errorf("%w: it has %d users where its last line says %d: %w", errExport,
			l.users, line.Users, io.ErrUnexpectedEOF)
	}
	l.export, l.part = false, line.Next
	l.unreadable += line.Unreadable
	return nil
}

// ended returns what an error of the decoder means. The decoder's own may quote what it read.
func (l *linesReader) ended(err error) error {
	switch {
	case l.in.err != nil:
		return l.in.why(nil)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF) && l.export:
		return fmt.Errorf("%w: it is cut off after %d users: %w", errExport, l.users,
			io.ErrUnexpectedEOF)
	case !errors.Is(err, io.EOF):
		return l.misshapen(err)
	case l.n == 1:
		return fmt.Errorf("%w: it is empty: %w", errExport, io.ErrUnexpectedEOF)
	case l.part != "":
		return fmt.Errorf("%w: it is one part, and the next one begins at the cursor %q",
			errExport, l.part)
	case l.unreadable > 0:
		return fmt.Errorf("%w: %d records could not be read when it was written", errExport,
			l.unreadable)
	}
	return io.EOF
}

// named is the name of a field that can be shown: it is too short for a secret.
var named = regexp.MustCompile(`^json: unknown field ("[a-zA-Z_]{1,15}")$`)

// misshapen says what of a line is not as documented.
func (l *linesReader) misshapen(err error) error {
	typed := &json.UnmarshalTypeError{}
	if !errors.As(err, &typed) {
		if m := named.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Errorf("%w: line %d has the unknown field %s", errExport, l.n, m[1])
		}
		return fmt.Errorf("%w: line %d is not the JSON object that is documented", errExport, l.n)
	}
	kind, _, _ := strings.Cut(typed.Value, " ") // the kind alone, not the value after it
	if typed.Field == "" {
		return fmt.Errorf("%w: line %d is a JSON %s; each line is one JSON object", errExport, l.n,
			kind)
	}
	return fmt.Errorf("%w: line %d has a JSON %s in the field %s, which is documented otherwise",
		errExport, l.n, kind, typed.Field)
}
