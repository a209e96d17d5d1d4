package sso

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/reencrypt"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

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
	unreadable, err := reencrypt.Each(ctx, s.cfg.Store, s.records, s.reencrypted, "sso/")
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("sso: %w", err)
	case err != nil:
		return unavailable(err)
	case len(unreadable) > 0:
		return fmt.Errorf("sso: %w", errors.Join(unreadable...))
	}
	return nil
}

// reencrypted says what becomes of a record.
func (s *Service) reencrypted(key string, data []byte) (storage.Change, error) {
	var purpose seal.Purpose
	switch {
	case strings.HasPrefix(key, linkPrefix):
		purpose = sealLink
	case strings.HasPrefix(key, "sso/p/"):
		purpose = sealUser
	case strings.HasPrefix(key, "sso/t/"):
		purpose = sealActivations
	default:
		return storage.Change{}, nil // not ours
	}
	if s.cfg.Keys.Primary(data) {
		return storage.Change{}, nil
	}
	plain, err := s.cfg.Keys.Open(purpose, key, data)
	if err != nil {
		return storage.Change{}, err
	}
	return storage.Change{Data: s.cfg.Keys.Seal(purpose, key, plain)}, nil
}
