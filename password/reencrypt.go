package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/reencrypt"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// Reencrypt removes expired links and rate limits, and encrypts the other records with the
// primary key of Config.Keys. Call it once a day from a job: every client and every address
// that asks for a link leaves a small record behind. Call it also, with
// [mfa.Manager.Reencrypt], before you remove a key. It is safe beside live traffic.
//
// Config.Store must be a storage.Lister. If it is not, the error wraps errors.ErrUnsupported.
// Records that cannot be read stay as they are, and Reencrypt returns an error for them after
// it has done the others. An error of the store wraps mfa.ErrUnavailable and ends the walk.
func (m *Manager) Reencrypt(ctx context.Context) error {
	now := m.now()
	unreadable, err := reencrypt.Each(ctx, m.cfg.Store, m.records,
		func(key string, data []byte) (storage.Change, error) {
			return m.reencrypted(key, data, now)
		}, recordPrefix, limitPrefix)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("password: %w", err)
	case err != nil:
		return unavailable(err)
	case len(unreadable) > 0:
		return fmt.Errorf("password: %w", errors.Join(unreadable...))
	}
	return nil
}

// reencrypted says what becomes of a record.
func (m *Manager) reencrypted(key string, data []byte, now time.Time) (storage.Change, error) {
	purpose, useful := seal.Purpose(sealLimit), false
	if strings.HasPrefix(key, recordPrefix) {
		purpose = sealLinks
		l, err := m.open(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		l.drop(now.UnixMilli())
		useful = len(l.Links) > 0
	} else {
		log, err := m.openLimit(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		useful = len(log.since(now, limitWindow)) > 0
	}
	switch {
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
}
