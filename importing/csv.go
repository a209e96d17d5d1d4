package importing

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// Columns says what the columns of a table are, by the names in its first line. Only ID is
// required; an empty name means that there is no such column.
type Columns struct {
	// ID, Tenant and Account are those of the user.
	ID, Tenant, Account string
	// Secret is the base32 secret of an authenticator app, with Algorithm, Digits and Period; or it
	// is an otpauth URI.
	Secret, Algorithm, Digits, Period string
	// Codes and Hashes are recovery codes or their hashes, separated by commas or spaces, and
	// CodeForm is the form of a hashed code itself, not a column; see package recovery.
	Codes, Hashes, CodeForm string
	// Address and Number are a verified e-mail address and a verified phone number.
	Address, Number string
}

// Authelia returns the columns of the command "authelia storage user totp export csv".
func Authelia() Columns {
	return Columns{ID: "username", Secret: "secret", Algorithm: "algorithm", Digits: "digits",
		Period: "period"}
}

// Authboss returns the columns of a users table that has the fields of authboss under the names of
// its example application: authboss itself has no table. Change those that your table calls
// otherwise. Recovery codes are the bcrypt hashes that authboss keeps.
func Authboss() Columns {
	return Columns{ID: "email", Account: "email", Secret: "totp_secret_key",
		Hashes: "recovery_codes", CodeForm: "xxxxx-xxxxx", Number: "sms_phone_number"}
}

// CSV reads a table with one user on a line. Its first line names the columns. Commas are between
// fields, or semicolons or tabs if the first line has no comma.
func CSV(r io.Reader, c Columns) Users {
	return func(yield func(User, error) bool) {
		from := newBounded(r)
		in := csv.NewReader(from)
		in.Comma = separator(from.firstLine())
		from.used = in.InputOffset
		in.ReuseRecord = true
		head, err := in.Read()
		if err != nil {
			yield(User{}, from.why(fmt.Errorf("%w: it has no line with the names of columns",
				errExport)))
			return
		}
		at, err := c.places(head)
		if err != nil {
			yield(User{}, err)
			return
		}
		for {
			row, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(User{}, from.why(fmt.Errorf("%w: %w", errExport, err)))
				return
			}
			field := func(column string) string {
				if i, ok := at[column]; ok && column != "" {
					return strings.TrimSpace(row[i])
				}
				return ""
			}
			if !yield(c.user(field), nil) {
				return
			}
		}
	}
}

// separator returns what is between the names of columns. Spreadsheets write semicolons where a
// comma is in numbers.
func separator(line string) rune {
	if !strings.Contains(line, ",") {
		for _, other := range ";\t" {
			if strings.ContainsRune(line, other) {
				return other
			}
		}
	}
	return ','
}

// places returns where the columns are, or says which one is missing.
func (c Columns) places(head []string) (map[string]int, error) {
	at := make(map[string]int, len(head))
	twice := make(map[string]bool)
	for i, name := range head {
		name = strings.TrimSpace(name)
		_, twice[name] = at[name]
		at[name] = i
	}
	if c.ID == "" {
		return nil, errors.New("importing: Columns.ID is empty")
	}
	for _, name := range []string{c.ID, c.Tenant, c.Account, c.Secret, c.Algorithm, c.Digits,
		c.Period, c.Codes, c.Hashes, c.Address, c.Number} {
		if _, ok := at[name]; !ok && name != "" {
			return nil, fmt.Errorf("%w: it has no column %q", errExport, name)
		}
		if twice[name] && name != "" {
			return nil, fmt.Errorf("%w: it has the column %q twice", errExport, name)
		}
	}
	return at, nil
}

// user returns the user of a row.
func (c Columns) user(field func(string) string) User {
	u := User{User: mfa.User{ID: field(c.ID), Tenant: field(c.Tenant), Account: field(c.Account)}}
	switch key := field(c.Secret); {
	case strings.HasPrefix(key, "otpauth:"):
		u.add("totp", "", map[string]string{"uri": key})
	case key != "":
		u.add("totp", "", map[string]string{"secret": key, "algorithm": field(c.Algorithm),
			"digits": field(c.Digits), "period": field(c.Period)})
	}
	if address := field(c.Address); address != "" {
		u.add("email", "", map[string]string{"address": address})
	}
	if number := field(c.Number); number != "" {
		u.add("sms", "", map[string]string{"number": number})
	}
	codes, hashes := listed(field(c.Codes)), listed(field(c.Hashes))
	if codes+hashes != "" {
		form := ""
		if hashes != "" {
			form = c.CodeForm
		}
		u.add("recovery", "", map[string]string{"codes": codes, "hashes": hashes, "form": form})
	}
	return u
}

// listed puts what is separated by commas or spaces on lines. An argon2 hash has commas in it.
func listed(text string) string {
	separators := ", \t\n"
	if strings.Contains(text, "$argon2") {
		separators = " \t\n"
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return strings.ContainsRune(separators, r)
	}), "\n")
}
