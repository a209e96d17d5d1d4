package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// Decline records that the user was offered to enrol a kind and did not want to now, so that no
// page in any browser offers it again soon: [Overview].Declined says when. It needs no grant,
// because it changes nothing of how the user signs in, and the user can enrol the kind at any time.
// ErrNotAvailable means that no factor of the kind is configured.
func (s Session) Decline(ctx context.Context, kind string) error {
	if err := s.check(); err != nil {
		return err
	}
	m, who, clock := s.m, s.user.compact(), s.m.now()
	if m.factors[kind] == nil {
		return fmt.Errorf("%w: no such kind to decline", ErrNotAvailable)
	}
	_, err := update(ctx, m, who, clock, func(r *record.Record) (struct{}, bool, error) {
		if r.Fresh && s.user.Enrolled {
			return struct{}{}, false, ErrRecordMissing
		}
		if r.Declined == nil {
			r.Declined = map[string]int64{}
		}
		r.Declined[kind] = r.At(clock).UnixMilli()
		return struct{}{}, true, nil
	})
	return err
}

// declined returns when the user declined which kinds.
func declined(r *record.Record) map[string]time.Time {
	if len(r.Declined) == 0 {
		return nil
	}
	out := make(map[string]time.Time, len(r.Declined))
	for kind, ms := range r.Declined {
		out[kind] = record.Instant(ms)
	}
	return out
}
