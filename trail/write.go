package trail

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// writeAll writes all entries that wait. Those that come during its last write are collected for
// another: under load some always do, and a batch would have what came during the write before, in
// place of what an interval brings.
func (t *Trail) writeAll(ctx context.Context) error {
	for full := true; full; {
		t.take()
		if len(t.pending) == 0 {
			return nil
		}
		n := min(len(t.pending), batchLen)
		full = n == batchLen
		if err := t.write(ctx, t.pending[:n]); err != nil {
			return err
		}
		t.pending = append(t.pending[:0], t.pending[n:]...)
	}
	return nil
}

// take takes what waits in the queue, as much as one write needs.
func (t *Trail) take() {
	if len(t.pending) >= batchLen {
		return // of what is lost while the log fails, too, no more is kept
	}
	t.mu.Lock()
	lost := t.lost
	t.lost = 0
	t.mu.Unlock()
	if lost > 0 {
		e, err := newEntry(Fact{Time: time.Now().UTC(), Event: "trail.lost", Lost: lost},
			Personal{})
		if err == nil {
			t.pending = append(t.pending, e)
		}
	}
	for len(t.pending) < batchLen {
		select {
		case e := <-t.queue:
			t.pending = append(t.pending, e)
		default:
			return
		}
	}
}

// write appends one batch behind what other processes append meanwhile.
func (t *Trail) write(ctx context.Context, batch []Entry) error {
	for attempt := 0; ; attempt++ {
		last, err := t.last(ctx)
		if err != nil {
			return err
		}
		t.link(batch, last)
		err = t.cfg.Log.Append(ctx, batch)
		if err == nil || t.isThere(ctx, batch) {
			t.seen = batch[len(batch)-1]
			return nil
		}
		if !errors.Is(err, ErrConflict) || attempt == 100 || ctx.Err() != nil {
			return err
		}
		pause(ctx, rand.N(time.Duration(1+min(attempt, 20))*5*time.Millisecond))
	}
}

// isThere reports whether a batch was written in spite of an error, such as after a lost reply to
// a commit. The hash of its last entry covers the others, and the salts make it another than every
// other batch's.
func (t *Trail) isThere(ctx context.Context, batch []Entry) bool {
	end := batch[len(batch)-1]
	e, err := entryAt(ctx, t.cfg.Log, end.Seq)
	return err == nil && bytes.Equal(e.Hash, end.Hash) && e.Checkpoint == end.Checkpoint
}

// last returns the last entry of the log, after checking that the log has what was seen there.
func (t *Trail) last(ctx context.Context) (Entry, error) {
	last, err := t.cfg.Log.Last(ctx)
	if err != nil {
		return Entry{}, err
	}
	if seen := &t.seen; last.Seq == seen.Seq && bytes.Equal(last.Hash, seen.Hash) &&
		last.Checkpoint == seen.Checkpoint {
		return last, nil // this process has signed it
	}
	if !checks(t.public, t.cfg.Origin, &last) {
		return Entry{}, ErrRewritten
	}
	if last.Seq < t.seen.Seq {
		// A File ends at its last checkpoint, so that it would remove what this process wrote if an
		// attacker has taken the checkpoints behind it away.
		return Entry{}, ErrRewritten
	}
	if t.seen.Seq > 0 {
		same, err := entryAt(ctx, t.cfg.Log, t.seen.Seq)
		if err != nil {
			return Entry{}, err
		}
		if !bytes.Equal(same.Hash, t.seen.Hash) {
			return Entry{}, ErrRewritten
		}
	}
	return last, nil
}

// link gives the entries of a batch their places after the last entry, and signs the end.
func (t *Trail) link(batch []Entry, last Entry) {
	seq, before := last.Seq, last.Hash
	if seq == 0 {
		before = genesis()
	}
	for i := range batch {
		seq++
		batch[i].Seq = seq
		batch[i].Hash = batch[i].chain(before)
		batch[i].Checkpoint = ""
		before = batch[i].Hash
	}
	end := &batch[len(batch)-1]
	end.Checkpoint = t.sign(end)
}

// keepAnchor keeps the newest checkpoint elsewhere, if it is time to. It returns how long to wait
// where it is not, and 0 if the newest is kept.
func (t *Trail) keepAnchor(ctx context.Context, now bool) (wait time.Duration, err error) {
	newest := t.seen.Checkpoint
	if t.cfg.Anchor == nil || newest == t.anchor {
		return 0, nil
	}
	if wait := t.cfg.AnchorInterval - time.Since(t.anchored); wait > 0 && !now {
		return wait, nil
	}
	if err := t.cfg.Anchor(ctx, newest); err != nil {
		return time.Second, err
	}
	t.anchor, t.anchored = newest, time.Now()
	return 0, nil
}
