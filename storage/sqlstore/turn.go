package sqlstore

import "context"

// turn lets one write of a store at a time through to SQLite, in the order in which the writes
// came. SQLite has one writer, and those that find it busy sleep and try again: with sixteen at
// once most of the time is slept away, and some starve. Processes still meet in SQLite itself.
//
// A nil turn, for the databases that take many writers, lets everything through.
type turn chan struct{}

func newTurn(d Dialect) turn {
	if d != SQLite {
		return nil
	}
	return make(turn, 1)
}

// take waits for the turn, or until the context is done.
func (t turn) take(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) leave() {
	if t != nil {
		<-t
	}
}
