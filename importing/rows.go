package importing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// rows reads JSON objects, in one list or one after the other, as databases write them. The error
// of a row ends them, and quotes nothing of it.
func rows[T any](r io.Reader, system string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		in, list, err := openRows(r)
		for n := 1; err == nil; n++ {
			if list && !in.More() {
				_, err = in.Token()
				break
			}
			var row T
			if err = in.Decode(&row); err != nil {
				break
			}
			if !yield(row, nil) {
				return
			}
		}
		if err != nil && !(errors.Is(err, io.EOF) && !list) {
			var zero T
			yield(zero, fmt.Errorf("%w: it does not have the rows that are documented for %s",
				errExport, system))
		}
	}
}

// newDecoder returns a decoder that keeps no more than one item of the file.
func newDecoder(r io.Reader) *json.Decoder {
	from := &bounded{Reader: r}
	in := json.NewDecoder(from)
	from.used = in.InputOffset
	return in
}

// openRows returns a decoder at the first row, and whether the rows are in a list.
func openRows(r io.Reader) (in *json.Decoder, list bool, err error) {
	buffered := bufio.NewReader(r)
	for {
		first, err := buffered.Peek(1)
		if err != nil {
			return nil, false, fmt.Errorf("%w: it is empty", errExport)
		}
		if !bytes.ContainsAny(first, " \t\r\n\ufeff") {
			in = newDecoder(buffered)
			if first[0] == '[' {
				_, err = in.Token()
			}
			return in, first[0] == '[', err
		}
		_, _ = buffered.Discard(1)
	}
}

// each yields the user of each row. A user of whom the export has nothing is not yielded.
func each[T any](r io.Reader, system string, user func(T) (User, error)) Users {
	return func(yield func(User, error) bool) {
		for row, err := range rows[T](r, system) {
			if err != nil {
				yield(User{}, err)
				return
			}
			u, err := user(row)
			if (err != nil || len(u.Factors)+len(u.NotMoved) > 0) && !yield(u, err) {
				return
			}
		}
	}
}

// yes is a truth value as databases write it: true, 1, "1" or "t".
type yes bool

// UnmarshalJSON reads what a database writes.
func (y *yes) UnmarshalJSON(text []byte) error {
	*y = yes(slices.Contains([]string{"true", "1", `"1"`, `"t"`, `"true"`}, string(text)))
	return nil
}

// errKeys is returned of what no key decrypts.
var errKeys = fmt.Errorf("%w: none of the keys decrypts what it has of the user", errExport)
