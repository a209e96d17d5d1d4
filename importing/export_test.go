package importing

import "io"

// ReadFixture reads a fixture of Django of which it keeps so much at most.
func ReadFixture(r io.Reader, most int64) error {
	_, err := readFixture(r, most)
	return err
}
