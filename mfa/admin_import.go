package mfa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/report"
)

// maxImported is the longest parameter of an import: a set of hashed recovery codes.
const maxImported = 8192

// Import gives a user the factors that another system has confirmed. The user notices nothing: no
// message is sent, no code is used up, and the next sign-in takes a code of the same app. It is for
// a program that moves users from another system; Config.Authorize is asked as "import".
//
// At least one of the factors is not a recovery kind. The Params of each are those that its kind
// documents for an import. A Name that users could not give is dropped.
//
// A user's factors are imported together, in one write, or not at all. A user who has factors, or
// whose factors were imported before, stays as they are, and Skipped says so. So an import may be
// repeated after it was cut off, and it brings back nothing that was removed since.
//
// An error that wraps factor.ErrMalformed says that a factor cannot be imported; errors.As finds
// its *factor.Problem. ErrNotAvailable means that a kind is not configured or takes over nothing,
// or that the user would have too many. It also means that another user has the same passkey, or
// that Config.Profile refuses what is to be renewed.
func (a Admin) Import(
	ctx context.Context, u User, factors []EnrollRequest,
) (*report.Import, error) {
	return a.importFactors(ctx, u, factors, true)
}

// PreviewImport returns what Import would do, and changes nothing. Its errors are those of Import.
func (a Admin) PreviewImport(
	ctx context.Context, u User, factors []EnrollRequest,
) (*report.Import, error) {
	return a.importFactors(ctx, u, factors, false)
}

func (a Admin) importFactors(
	ctx context.Context, u User, factors []EnrollRequest, write bool,
) (*report.Import, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "import", u); err != nil {
		return nil, err
	}
	now, s := m.now(), u.compact()
	list, done, err := m.prepareImport(ctx, s, factors)
	if err != nil {
		return nil, err
	}
	claims, err := m.claimImported(ctx, s, list, now, write)
	if err != nil {
		return nil, err
	}
	did, err := update(ctx, m, s, now, func(rec *record.Record) (imported, bool, error) {
		v := m.view(rec, &token.Claims{Subject: s}, rec.At(now))
		if skip := v.SkipImport(); skip != "" {
			return imported{skipped: skip, before: rec.Imported}, false, nil
		}
		return imported{number: rec.NextWrite(now)}, write, v.Import(list)
	})
	for _, c := range claims {
		switch {
		case err == nil && did.skipped == "":
			m.reclaim(ctx, c)
		case !errors.Is(err, ErrUnavailable): // certain that nothing was imported
			m.withdraw(ctx, c)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case did.skipped != "":
		return &report.Import{Skipped: string(did.skipped),
			Imported: record.Instant(did.before)}, nil
	case write:
		m.emit(ctx, []Event{m.event("admin.import", s, now, func(e *Event) {
			e.Actor, e.Note, e.Write = a.actor.name, a.reason, did.number
		})})
	}
	return done, nil
}

// imported is what an import of one user did: why nothing was written, and when the user was
// imported before, or the number of the write.
type imported struct {
	skipped decide.Skip
	before  int64
	number  int64
}

// prepareImport lets each factor read its instance.
func (m *Manager) prepareImport(
	ctx context.Context, s token.Subject, factors []EnrollRequest,
) (list []decide.Importing, done *report.Import, err error) {
	if len(factors) > record.MaxFactors {
		return nil, nil, fmt.Errorf("%w: more than %d factors", ErrNotAvailable, record.MaxFactors)
	}
	now, done := m.now(), &report.Import{}
	existing := make(map[string][]factor.EnrollOutput)
	for i, from := range factors {
		out, err := m.prepareOne(ctx, s, from, existing[from.Kind])
		if err != nil {
			return nil, nil, fmt.Errorf("factor %d of kind %q: %w", i+1, from.Kind, err)
		}
		existing[from.Kind] = append(existing[from.Kind], *out)
		in := record.Instance{ID: record.NewID(), Kind: from.Kind, Name: out.Name,
			MaskedDestination: out.MaskedDestination, State: out.State, Created: now.UnixMilli()}
		if err := m.describeInstance(&in); err != nil {
			return nil, nil, err
		}
		list = append(list, decide.Importing{Instance: in, Renew: out.Renew})
		done.Kinds = append(done.Kinds, from.Kind)
		if out.Renew {
			done.Renew = append(done.Renew, from.Kind)
		}
	}
	return list, done, nil
}

// prepareOne lets a factor read one instance.
func (m *Manager) prepareOne(
	ctx context.Context, s token.Subject, r EnrollRequest, existing []factor.EnrollOutput,
) (*factor.EnrollOutput, error) {
	f := m.factors[r.Kind]
	if f == nil || !f.Traits().Importable {
		return nil, fmt.Errorf("%w: no such kind to import", ErrNotAvailable)
	}
	if checkName(r.Name) != nil {
		r.Name = ""
	}
	if err := checkParams(r.Params, maxImported); err != nil {
		return nil, err
	}
	out, err := m.callEnroll(ctx, f, factor.EnrollInput{User: s.FactorUser(), Name: r.Name,
		Params: r.Params, Existing: existing, Imported: true, Now: m.now()})
	if err != nil {
		return nil, err
	}
	if out.Renew && !m.setup.AcceptsRenewals() {
		return nil, fmt.Errorf("%w: Config.Profile accepts no factor that is to be renewed",
			ErrNotAvailable)
	}
	out.Name = cmp.Or(r.Name, out.Name)
	return out, nil
}

// claimImported makes the identities of what is imported the user's, before the user has it.
// Without write it only looks whether another user has one.
func (m *Manager) claimImported(
	ctx context.Context, s token.Subject, list []decide.Importing, now time.Time, write bool,
) (claims []claimed, err error) {
	for _, in := range list {
		f, ok := m.factors[in.Instance.Kind].(factor.Identifier)
		if !ok {
			continue
		}
		named, err := importedIdentity(f, in.Instance.State)
		switch {
		case err != nil:
		case write:
			var c claimed
			if c, err = m.claimNamed(ctx, s, f.Kind(), named, now); err == nil {
				claims = append(claims, c)
			}
		default:
			err = m.claimable(ctx, s, identityKey(f.Kind(), named), now)
		}
		if err != nil {
			for _, c := range claims {
				m.withdraw(ctx, c)
			}
			return nil, err
		}
	}
	return claims, nil
}

// importedIdentity returns the identity of an instance that is imported, which has one.
func importedIdentity(f factor.Identifier, state []byte) ([]byte, error) {
	named, err := callIdentity(f, state)
	if err == nil && (len(named) == 0 || len(named) > maxIdentity) {
		err = fmt.Errorf("%w: an instance that is imported has no identity", factor.ErrMalformed)
	}
	return named, err
}

// claimable returns an error if another user has an identity.
func (m *Manager) claimable(
	ctx context.Context, s token.Subject, key string, now time.Time,
) error {
	i, err := m.owner(ctx, key)
	switch {
	case errors.Is(err, ErrUnknownFactor):
		return nil
	case err != nil:
		return err
	case !i.of(s) && !m.abandoned(ctx, key, i, now):
		return fmt.Errorf("%w: %w", ErrNotAvailable, errTaken)
	}
	return nil
}
