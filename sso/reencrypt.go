package sso

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// pageSize is the number of records in one page of a listing.
const pageSize = 200

// Reencrypt encrypts every link and every activation with the primary key of Config.Keys. An
// operator runs it, with [mfa.Manager.Reencrypt], before they remove a key. It is safe beside
// live traffic. After it has returned nil, no record needs an older key. No cookie needs one
// once Config.FlowTTL has passed.
//
// Config.Store must be a storage.Lister. If it is not, the error wraps errors.ErrUnsupported.
// Records that no key opens stay as they are. Reencrypt encrypts the others, and then returns
// an error that wraps those of package seal. An error of the store wraps mfa.ErrUnavailable
// and ends the walk. A second run skips the records that are done.
func (s *Service) Reencrypt(ctx context.Context) error {
	lister, ok := s.cfg.Store.(storage.Lister)
	if !ok {
		return fmt.Errorf("sso: the store cannot list: %w", errors.ErrUnsupported)
	}
	var unreadable []error
	for cursor := storage.Cursor(""); ; {
		page, next, err := lister.List(ctx, "sso/", cursor, pageSize)
		if err != nil {
			return unavailable(err)
		}
		for _, e := range page {
			if s.cfg.Keys.Primary(e.Record.Data) {
				continue
			}
			err := s.reencrypt(ctx, e.Key)
			if errors.Is(err, mfa.ErrUnavailable) {
				return err
			}
			if err != nil && len(unreadable) < pageSize {
				unreadable = append(unreadable, err)
			}
		}
		if cursor = next; cursor == "" {
			return errors.Join(unreadable...)
		}
	}
}

func (s *Service) reencrypt(ctx context.Context, key string) error {
	var purpose seal.Purpose
	switch {
	case strings.HasPrefix(key, linkPrefix):
		purpose = sealLink
	case strings.HasPrefix(key, "sso/p/"):
		purpose = sealUser
	case strings.HasPrefix(key, "sso/t/"):
		purpose = sealActivations
	default:
		return nil // not ours
	}
	var broken error
	err := s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		broken = nil
		if data == nil || s.cfg.Keys.Primary(data) {
			return storage.Change{}, nil
		}
		var plain []byte
		if plain, broken = s.cfg.Keys.Open(purpose, key, data); broken != nil {
			return storage.Change{}, nil
		}
		return storage.Change{Data: s.cfg.Keys.Seal(purpose, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	if broken != nil {
		return fmt.Errorf("sso: record %q: %w", key, broken)
	}
	return nil
}
