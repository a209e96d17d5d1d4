package sso

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// An account's record names its user, and that alone decides: one record, one conditional write.
// The user's record is a list of accounts to look at, written before the account's, so that it
// may list too many and never too few.
const (
	sealLink   = "sso-link"
	sealUser   = "sso-person"
	linkPrefix = "sso/l/"
	// maxLinks is how many accounts one user may link.
	maxLinks = 10
	// maxSpent is how many sign-ons of one account may be completed within FlowTTL.
	maxSpent = 200
)

// Link is an account that a user may sign on with.
type Link struct {
	// ID names the link for Unlink. It is no secret and reveals nothing.
	ID string
	// Provider is the ID of the provider it was made with.
	Provider string
	// Account is the address or name the account had at its last use, to show. It proves
	// nothing.
	Account string
	// Organization is the Microsoft tenant ID or the Google domain, "" without one.
	Organization      string
	Created, LastUsed time.Time
}

// account is the record of an account that a user has linked.
type account struct {
	Tenant       string  `cbor:"0,keyasint,omitempty"`
	Subject      string  `cbor:"1,keyasint"`
	Provider     string  `cbor:"2,keyasint"`
	Organization string  `cbor:"3,keyasint,omitempty"`
	Shown        string  `cbor:"4,keyasint,omitempty"`
	Created      int64   `cbor:"5,keyasint"` // Unix seconds
	Used         int64   `cbor:"6,keyasint"`
	Spent        []spent `cbor:"7,keyasint,omitempty"`
}

// spent is a flow that was completed and is remembered until it would be over anyway.
type spent struct {
	_     struct{} `cbor:",toarray"`
	State [16]byte
	Until int64 // Unix milliseconds
}

// linkID stands for an account in keys. It is not Keyring.Digest, which changes with the
// primary key: a rotation would lose every link. The lengths keep issuer and subject apart.
func linkID(issuer, subject string) string {
	h := sha256.New()
	for _, s := range []string{"secondgate/1 sso link", issuer, subject} {
		_ = binary.Write(h, binary.BigEndian, uint32(len(s)))
		h.Write([]byte(s))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

func userKey(tenant, subject string) string {
	return "sso/p/" + strconv.Itoa(len(tenant)) + "/" + tenant + "/" + subject
}

func (s *Service) open(purpose seal.Purpose, key string, data []byte, to any) error {
	plain, err := s.cfg.Keys.Open(purpose, key, data)
	if err != nil {
		return err
	}
	return cbor.Unmarshal(plain, to)
}

func (s *Service) seal(purpose seal.Purpose, key string, from any) (storage.Change, error) {
	plain, err := cbor.Marshal(from)
	if err != nil {
		return storage.Change{}, err
	}
	return storage.Change{Data: s.cfg.Keys.Seal(purpose, key, plain)}, nil
}

// get reads a record into to. Not finding one is storage.ErrNotFound, everything else
// mfa.ErrUnavailable.
func (s *Service) get(ctx context.Context, purpose seal.Purpose, key string, to any) error {
	rec, err := s.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if err == nil {
		err = s.open(purpose, key, rec.Data, to)
	}
	return unavailable(err)
}

// spend marks a flow as completed, or says that it was before.
func (a *account) spend(f *flow, now time.Time, ttl time.Duration) error {
	h := sha256.Sum256([]byte(f.State))
	state := [16]byte(h[:16])
	a.Spent = slices.DeleteFunc(a.Spent, func(s spent) bool {
		return now.UnixMilli() >= s.Until+leeway.Milliseconds()
	})
	if slices.ContainsFunc(a.Spent, func(s spent) bool { return s.State == state }) {
		return fmt.Errorf("%w: it was completed before", ErrFlow)
	}
	if len(a.Spent) >= maxSpent {
		return unavailable(errors.New("sso: too many sign-ons of one account at once"))
	}
	a.Spent = append(a.Spent, spent{State: state, Until: f.Began + ttl.Milliseconds()})
	return nil
}

func (a *account) link(id string) Link {
	return Link{ID: id, Provider: a.Provider, Account: a.Shown, Organization: a.Organization,
		Created: time.Unix(a.Created, 0).UTC(), LastUsed: time.Unix(a.Used, 0).UTC()}
}

// signOn is the end of a flow that signs in: it finds whose the account is.
func (s *Service) signOn(
	ctx context.Context, f *flow, id *identity, now time.Time,
) (*SignIn, error) {
	linkID := linkID(id.issuer, id.subject)
	key := linkPrefix + linkID
	var a account
	err := s.get(ctx, sealLink, key, &a)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNotLinked
	}
	if err != nil {
		return nil, err
	}
	accept, err := s.activated(ctx, a.Tenant, s.providers[f.Provider], id.organization)
	if err != nil {
		return nil, err
	}
	owner := a
	err = s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		if data == nil {
			return storage.Change{}, ErrNotLinked
		}
		a = account{}
		if err := s.open(sealLink, key, data, &a); err != nil {
			return storage.Change{}, err
		}
		if a.Tenant != owner.Tenant || a.Subject != owner.Subject {
			// unlinked, and linked by another, this very moment
			return storage.Change{}, ErrNotLinked
		}
		if err := a.spend(f, now, s.cfg.FlowTTL); err != nil {
			return storage.Change{}, err
		}
		a.Shown, a.Organization, a.Used = id.account, id.organization, now.Unix()
		return s.seal(sealLink, key, a)
	})
	if err != nil {
		return nil, ours(err)
	}
	s.emit(ctx, mfa.Event{Name: "sso.signed-in", Time: now, UserID: a.Subject, Tenant: a.Tenant,
		Kind: f.Provider, FactorID: linkID})
	return &SignIn{SubjectID: a.Subject, Tenant: a.Tenant, Link: a.link(linkID), Time: now,
		SecondFactor: accept && id.secondFactor, AMR: slices.Clone(id.amr), ACR: id.acr,
		AuthTime: id.authTime}, nil
}

// ours returns the package's own errors as they are and any other as unavailable.
func ours(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{ErrFlow, ErrNotLinked, ErrLinkedElsewhere, mfa.ErrNotAvailable} {
		if errors.Is(err, known) {
			return err
		}
	}
	return unavailable(err)
}

// bind ends a flow that links: the account becomes the user's.
func (s *Service) bind(
	ctx context.Context, f *flow, user mfa.User, id *identity, now time.Time,
) (*Link, error) {
	p := s.providers[f.Provider]
	if p.OwnAddress && (id.address == "" || !mailaddr.Same(id.address, user.Email)) {
		return nil, fmt.Errorf("%w: it is not the user's", ErrAddress)
	}
	if _, err := s.activated(ctx, f.Tenant, p, id.organization); err != nil {
		return nil, err
	}
	linkID := linkID(id.issuer, id.subject)
	if err := s.list(ctx, f.Tenant, f.Subject, linkID); err != nil {
		return nil, err
	}
	key := linkPrefix + linkID
	var a account
	err := s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		a = account{Tenant: f.Tenant, Subject: f.Subject, Created: now.Unix()}
		if data != nil {
			a = account{}
			if err := s.open(sealLink, key, data, &a); err != nil {
				return storage.Change{}, err
			}
			if a.Tenant != f.Tenant || a.Subject != f.Subject {
				return storage.Change{}, ErrLinkedElsewhere
			}
		}
		if err := a.spend(f, now, s.cfg.FlowTTL); err != nil {
			return storage.Change{}, err
		}
		a.Provider, a.Organization, a.Shown, a.Used = f.Provider, id.organization, id.account,
			now.Unix()
		return s.seal(sealLink, key, a)
	})
	if err != nil {
		return nil, ours(err)
	}
	s.emit(ctx, mfa.Event{Name: "sso.linked", Time: now, UserID: f.Subject, Tenant: f.Tenant,
		Kind: f.Provider, FactorID: linkID})
	if err := s.relist(ctx, f.Tenant, f.Subject, linkID); err != nil {
		return nil, err
	}
	l := a.link(linkID)
	return &l, nil
}

// list puts an account on the user's list. Accounts that are no longer theirs make room.
func (s *Service) list(ctx context.Context, tenant, subject, linkID string) error {
	key := userKey(tenant, subject)
	return ours(s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		ids, err := s.ids(key, data)
		if err != nil || slices.Contains(ids, linkID) {
			return storage.Change{}, err
		}
		if len(ids) >= maxLinks {
			if ids, err = s.prune(ctx, tenant, subject, ids); err != nil {
				return storage.Change{}, err
			}
		}
		if len(ids) >= maxLinks {
			return storage.Change{}, fmt.Errorf("%w: there are %d links already",
				mfa.ErrNotAvailable, maxLinks)
		}
		return s.seal(sealUser, key, append(ids, linkID))
	}))
}

// relist writes the list once more after the account's record is there, whether it needs it
// or not. A process that prunes the list at that moment read it before. Its write then
// fails, and it reads again.
func (s *Service) relist(ctx context.Context, tenant, subject, linkID string) error {
	key := userKey(tenant, subject)
	return ours(s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		ids, err := s.ids(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		if !slices.Contains(ids, linkID) {
			ids = append(ids, linkID)
		}
		return s.seal(sealUser, key, ids)
	}))
}

// prune returns those of ids that are the user's accounts.
func (s *Service) prune(
	ctx context.Context, tenant, subject string, ids []string,
) ([]string, error) {
	kept := make([]string, 0, len(ids))
	for _, id := range ids {
		var a account
		switch err := s.get(ctx, sealLink, linkPrefix+id, &a); {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return nil, err
		case a.Tenant == tenant && a.Subject == subject:
			kept = append(kept, id)
		}
	}
	return kept, nil
}

func (s *Service) ids(key string, data []byte) (ids []string, err error) {
	if data != nil {
		err = s.open(sealUser, key, data, &ids)
	}
	return ids, err
}

// links reads the user's list and keeps the accounts that are theirs.
func (s *Service) links(ctx context.Context, tenant, subject string) ([]Link, error) {
	var ids []string
	err := s.get(ctx, sealUser, userKey(tenant, subject), &ids)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	links := make([]Link, 0, len(ids))
	for _, id := range ids {
		var a account
		switch err := s.get(ctx, sealLink, linkPrefix+id, &a); {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return nil, err
		case a.Tenant == tenant && a.Subject == subject:
			links = append(links, a.link(id))
		}
	}
	return links, nil
}
