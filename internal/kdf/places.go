package kdf

import "context"

// Places bounds how many hashes are computed at once: it is made with that many.
type Places chan struct{}

// Take waits for a free place, which the caller releases when the hash is computed. It returns the
// error of a context that is done.
func (p Places) Take(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p <- struct{}{}:
		return func() { <-p }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
