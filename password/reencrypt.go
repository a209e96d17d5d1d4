package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// pageSize is the number of records in one page of a listing.
const pageSize = 200

// Reencrypt removes expired links and rate limits, and encrypts the other records with the
// primary key of Config.Keys. Call it once a day from a job: every client and every address
// that asks for a link leaves a small record behind. Call it also, with
// [mfa.Manager.Reencrypt], before you remove a key. It is safe beside live traffic.
//
// Config.Store must be a storage.Lister. If it is not, the error wraps errors.ErrUnsupported.
// Records that cannot be read stay as they are, and Reencrypt returns an error for them after
// it has done the others. An error of the store wraps mfa.ErrUnavailable and ends the walk.
func (m *Manager) Reencrypt(ctx context.Context) error {
	lister, ok := m.cfg.Store.(storage.Lister)
	if !ok {
		return fmt.Errorf("password: the store cannot list: %w", errors.ErrUnsupported)
	}
	now := m.now()
	var unreadable []error
	for _, prefix := range []string{recordPrefix, limitPrefix} {
		for cursor := storage.Cursor(""); ; {
			page, next, err := lister.List(ctx, prefix, cursor, pageSize)
			if err != nil {
				return unavailable(err)
			}
			for _, e := range page {
				err := m.reencrypt(ctx, e.Key, now)
				if errors.Is(err, mfa.ErrUnavailable) {
					return err
				}
				if err != nil && len(unreadable) < pageSize {
					unreadable = append(unreadable, err)
				}
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return errors.Join(unreadable...)
}

func (m *Manager) reencrypt(ctx context.Context, key string, now time.Time) error {
	var broken error
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		broken = nil
		if data == nil {
			return storage.Change{}, nil
		}
		purpose, useful := seal.Purpose(sealLimit), false
		if strings.HasPrefix(key, recordPrefix) {
			purpose = sealLinks
			var l *links
			if l, broken = m.open(key, data); broken == nil {
				l.drop(now.UnixMilli())
				useful = len(l.Links) > 0
			}
		} else {
			var log requestLog
			if log, broken = m.openLimit(key, data); broken == nil {
				useful = len(log.since(now, limitWindow)) > 0
			}
		}
		switch {
		case broken != nil:
			return storage.Change{}, nil
		case !useful:
			return storage.Change{Delete: true}, nil
		case m.cfg.Keys.Primary(data):
			return storage.Change{}, nil
		}
		plain, err := m.cfg.Keys.Open(purpose, key, data)
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(purpose, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	if broken != nil {
		return fmt.Errorf("password: record %q: %w", key, broken)
	}
	return nil
}
