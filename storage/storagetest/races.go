package storagetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/secondgate/secondgate/storage"
)

const (
	racers = 64 // half of them on a second store
	rounds = 4
)

// race runs f once for each racer, all at once, and returns their errors.
func race(sub *subject, f func(s storage.Store, i int) error) []error {
	stores := [2]storage.Store{sub.open(), sub.open()}
	var (
		start = make(chan struct{})
		errs  = make([]error, racers)
		wg    sync.WaitGroup
	)
	for i := range racers {
		wg.Go(func() {
			<-start
			errs[i] = f(stores[i%2], i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// pause waits after a conflict, as storage.Update does. Without it the callers would mostly refuse
// each other.
func pause(turn int) {
	time.Sleep(mathrand.N(time.Millisecond << min(turn, 10)))
}

// winner expects one success among conflicts.
func winner(what string, errs []error) (int, error) {
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			return 0, fmt.Errorf("%s by %d callers at once: two succeeded", what, len(errs))
		case err == nil:
			won = i
		case !errors.Is(err, storage.ErrConflict):
			return 0, fmt.Errorf("%s by %d callers at once: %w, want one success and "+
				"ErrConflict for the others", what, len(errs), err)
		}
	}
	if won < 0 {
		return 0, fmt.Errorf("%s by %d callers at once: none succeeded", what, len(errs))
	}
	return won, nil
}

func raceCreate(ctx context.Context, sub *subject) error {
	for range rounds {
		k := key("race")
		won, err := winner("create", race(sub, func(s storage.Store, i int) error {
			return s.Swap(ctx, k, "", numbered(i, ""))
		}))
		if err != nil {
			return err
		}
		if err := holds(ctx, "after the race", sub.open(), k, numbered(won, "")); err != nil {
			return err
		}
	}
	return nil
}

func raceSwap(ctx context.Context, sub *subject) error {
	s, k, present := sub.open(), key("race"), rec("r0", "x")
	if err := is("create", s.Swap(ctx, k, "", present), nil); err != nil {
		return err
	}
	for round := range rounds {
		suffix := fmt.Sprintf("/%d", round)
		won, err := winner("swap", race(sub, func(s storage.Store, i int) error {
			return s.Swap(ctx, k, present.Revision, numbered(i, suffix))
		}))
		if err != nil {
			return err
		}
		present = numbered(won, suffix)
		if err := holds(ctx, "after the race", s, k, present); err != nil {
			return err
		}
	}
	return nil
}

func raceDelete(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("race")
	for range rounds {
		if err := is("create", s.Swap(ctx, k, "", rec("r1", "x")), nil); err != nil {
			return err
		}
		_, err := winner("delete", race(sub, func(s storage.Store, i int) error {
			return s.Delete(ctx, k, "r1")
		}))
		if err != nil {
			return err
		}
		if err := isAbsent(ctx, "after the race", s, k); err != nil {
			return err
		}
	}
	return nil
}

// lostUpdate lets every racer add its one to a number, by turns of read and swap. Their first
// reads are all done before the first swap, so that a store whose condition is not in the
// write cannot get away with being fast.
func lostUpdate(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("counter")
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	if err := is("create", s.Swap(ctx, k, "", storage.Record{Revision: "r0", Data: number(0)}),
		nil); err != nil {
		return err
	}
	const each = 2
	var reads sync.WaitGroup
	reads.Add(racers)
	for _, err := range race(sub, func(s storage.Store, i int) error {
		for done, turn := 0, 0; done < each; turn++ {
			now, err := s.Get(ctx, k)
			if turn == 0 {
				reads.Done()
				reads.Wait()
			}
			if err != nil {
				return fmt.Errorf("get: %w", err)
			}
			if len(now.Data) != 8 {
				return fmt.Errorf("get: data %s, want 8 bytes", show(now.Data))
			}
			next := storage.Record{
				Revision: storage.Revision(fmt.Sprintf("r%d/%d", i, turn)),
				Data:     number(binary.BigEndian.Uint64(now.Data) + 1),
			}
			switch err := s.Swap(ctx, k, now.Revision, next); {
			case err == nil:
				done++
			case !errors.Is(err, storage.ErrConflict):
				return fmt.Errorf("swap: %w", err)
			default:
				pause(turn)
			}
		}
		return nil
	}) {
		if err != nil {
			return fmt.Errorf("%d callers at once: %w", racers, err)
		}
	}
	got, err := s.Get(ctx, k)
	if err != nil {
		return err
	}
	if len(got.Data) != 8 || binary.BigEndian.Uint64(got.Data) != racers*each {
		return fmt.Errorf("%d callers added one %d times each, and the sum is %x, want %x",
			racers, each, got.Data, number(racers*each))
	}
	return nil
}
