package importing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxItem is how much a file may have of one user, in bytes. A decoder keeps an item whole, and a
// file that another system or its owner made may have one that does not end.
const maxItem = 16 << 20

var errTooLong = fmt.Errorf("%w: what it has of one user is longer than %d MB", errExport,
	maxItem>>20)

// byteOrderMark begins a text in UTF-8 that some programs of Windows write.
const byteOrderMark = "\xef\xbb\xbf"

// foreign are the beginnings of files that no reader reads, and what an operator does about them.
var foreign = []struct{ begins, is string }{
	{"\xff\xfe", "it is UTF-16: convert it to UTF-8"},
	{"\xfe\xff", "it is UTF-16: convert it to UTF-8"},
	{"\x1f\x8b", "it is compressed with gzip: decompress it"},
	{"BZh", "it is compressed with bzip2: decompress it"},
	{"\xfd7zXZ", "it is compressed with xz: decompress it"},
	{"\x28\xb5\x2f\xfd", "it is compressed with zstd: decompress it"},
	{"PK\x03\x04", "it is a zip archive: unpack it"},
}

// bounded is the text of a file, without a byte order mark. It ends with an error when a decoder
// has read more than an item from it and used nothing, and at once if the file is no text.
type bounded struct {
	in   *bufio.Reader
	used func() int64 // how much the decoder has used; set before the first Read
	read int64
	// begun says that the beginning was looked at, and err is why nothing more is read: an error of
	// the file, and never io.EOF.
	begun bool
	err   error
}

func newBounded(r io.Reader) *bounded { return &bounded{in: bufio.NewReader(&failing{r: r})} }

// failing returns its first error again and again. A look at what comes next would lose it.
type failing struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(to []byte) (n int, err error) {
	if f.err != nil {
		return 0, f.err
	}
	n, f.err = f.r.Read(to)
	return n, f.err
}

// firstLine returns the first line, or what it begins with, and leaves it to be read. It waits for
// no second line.
func (b *bounded) firstLine() string {
	for more := 1; ; more = b.in.Buffered() + 1 {
		_, err := b.in.Peek(more)
		begins, _ := b.in.Peek(b.in.Buffered())
		if line, _, whole := bytes.Cut(begins, []byte("\n")); whole || err != nil {
			return string(line)
		}
	}
}

// decoder returns a decoder that keeps no more than one item of the file.
func (b *bounded) decoder() *json.Decoder {
	in := json.NewDecoder(b)
	b.used = in.InputOffset
	return in
}

// Read implements io.Reader.
func (b *bounded) Read(to []byte) (int, error) {
	if !b.begun {
		b.begun = true
		b.err = b.begin()
	}
	if b.err == nil && b.read-b.used() > maxItem {
		b.err = errTooLong
	}
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.in.Read(to)
	b.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// begin looks at the beginning of the file.
func (b *bounded) begin() error {
	first, _ := b.in.Peek(len(byteOrderMark) + 2) // reading says what is wrong with the file
	if bytes.HasPrefix(first, []byte(byteOrderMark)) {
		_, err := b.in.Discard(len(byteOrderMark))
		return err
	}
	for _, f := range foreign {
		if bytes.HasPrefix(first, []byte(f.begins)) {
			return fmt.Errorf("%w: %s", errExport, f.is)
		}
	}
	return nil
}

// why returns the error of the file itself, if it has one, and otherwise what is wrong with its
// form. The error of a decoder is neither: it may quote the file.
func (b *bounded) why(form error) error {
	switch {
	case b.err == nil:
		return form
	case errors.Is(b.err, errExport):
		return b.err
	}
	return fmt.Errorf("%w: %w", errExport, b.err)
}

// next returns the first character that is no space of what a decoder reads next, or 0 at the end
// of the file.
func next(in *json.Decoder) byte {
	in.More() // which reads up to it
	rest, _ := io.ReadAll(io.LimitReader(in.Buffered(), 1))
	if rest = bytes.TrimSpace(rest); len(rest) == 0 {
		return 0 // spaces that nothing follows stay in the buffer
	}
	return rest[0]
}

// skip reads past a value, whatever its length.
func skip(in *json.Decoder) error {
	for depth := 0; ; {
		t, err := in.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
