package importing

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// rows reads JSON objects as databases write them: one after the other, in a list, or in several
// lists. The error of a row ends them, and quotes nothing of it.
func rows[T any](r io.Reader, system string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		from := newBounded(r)
		in := from.decoder()
		ended := fmt.Errorf("%w: it is empty", errExport)
		for begin := next(in); begin != 0; begin = next(in) {
			read := row[T]
			if begin == '[' {
				read = list[T]
			}
			more, err := read(in, yield)
			if !more {
				return
			}
			if ended = nil; err != nil {
				ended = notRows(system)
				break
			}
		}
		if err := from.why(ended); err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// notRows returns the error of a file of another system, or of one that is cut off.
func notRows(system string) error {
	return fmt.Errorf("%w: it does not have the rows that are documented for %s", errExport, system)
}

// row yields one row. more is false if the caller wants no other.
func row[T any](in *json.Decoder, yield func(T, error) bool) (more bool, err error) {
	var v T
	if err := in.Decode(&v); err != nil {
		return true, err
	}
	return yield(v, nil), nil
}

// list yields the rows of a list up to its end.
func list[T any](in *json.Decoder, yield func(T, error) bool) (more bool, err error) {
	if _, err := in.Token(); err != nil {
		return true, err
	}
	for in.More() {
		if more, err := row(in, yield); !more || err != nil {
			return more, err
		}
	}
	_, err = in.Token()
	return true, err
}

// each yields the user of each row. A user of whom the export has nothing is not yielded. A row
// with neither a user nor a factor is one of another system, and ends the reader.
func each[T any](r io.Reader, system string, user func(T) (User, error)) Users {
	return func(yield func(User, error) bool) {
		for row, err := range rows[T](r, system) {
			if err != nil {
				yield(User{}, err)
				return
			}
			u, err := user(row)
			none := err == nil && len(u.Factors)+len(u.NotMoved) == 0
			switch {
			case none && u.ID == "":
				yield(User{}, notRows(system))
				return
			case !none && !yield(u, err):
				return
			}
		}
	}
}

// yes is a truth value as databases write it: true, 1, "1" or "t", or what corresponds to that.
type yes bool

// UnmarshalJSON reads what a database writes. Of anything else nobody knows what it means.
func (y *yes) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true", "1", `"1"`, `"t"`, `"true"`:
		*y = true
	case "false", "0", `"0"`, `"f"`, `"false"`, "null":
		*y = false
	default:
		return errors.New("not a truth value")
	}
	return nil
}

// errKeys is returned of what no key decrypts.
var errKeys = fmt.Errorf("%w: none of the keys decrypts what it has of the user", errExport)
