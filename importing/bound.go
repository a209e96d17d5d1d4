package importing

import (
	"fmt"
	"io"
)

// maxItem is how much a file may have of one user, in bytes. A decoder keeps an item whole, and a
// file that another system or its owner made may have one that does not end.
const maxItem = 16 << 20

var errTooLong = fmt.Errorf("%w: what it has of one user is longer than %d MB", errExport,
	maxItem>>20)

// bounded ends with an error when a decoder has read more than an item from it and used nothing.
type bounded struct {
	io.Reader
	used func() int64 // how much the decoder has used; set before the first Read
	read int64
}

// Read implements io.Reader.
func (b *bounded) Read(to []byte) (int, error) {
	if b.read-b.used() > maxItem {
		return 0, errTooLong
	}
	n, err := b.Reader.Read(to)
	b.read += int64(n)
	return n, err
}
