package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

// Brand returns how users of a scope see the application, from Config.Brand. It returns
// ErrUnavailable, and never another brand, if Config.Brand fails or if its Brand breaks
// [brand.Brand.Check]. mfahttp and package password call it for their pages and mails.
func (m *Manager) Brand(ctx context.Context, scope policy.Scope) (brand.Brand, error) {
	if m.cfg.Brand == nil {
		return brand.Brand{}, nil
	}
	return callBrand(ctx, m.cfg.Brand, scope)
}

// LinkScope returns the scope of the user for whom a link was made, for the brand of the page that
// the link leads to. It proves nothing and uses nothing: a link that has expired or was used has
// a scope, too. It returns ErrToken for a link that the Manager did not make.
func (m *Manager) LinkScope(link secret.Text) (policy.Scope, error) {
	for _, kind := range []seal.Purpose{token.KindLink, token.KindRecoveryLink} {
		c, err := token.Open(m.cfg.Keys, kind, link.Reveal(), token.SessionID{})
		if err == nil {
			return c.Subject.Scope(), nil
		}
	}
	return policy.Scope{}, ErrToken
}

// callBrand asks the application for the brand of a scope.
func callBrand(
	ctx context.Context, hook func(context.Context, policy.Scope) (brand.Brand, error),
	scope policy.Scope,
) (b brand.Brand, err error) {
	defer caughtIn("Config.Brand", &err)
	if b, err = hook(ctx, scope); err != nil {
		text := fmt.Sprintf("%v: Config.Brand failed%s", ErrUnavailable, quiet.Text(err))
		return brand.Brand{}, quiet.New(text, ErrUnavailable, err)
	}
	if err := b.Check(); err != nil {
		return brand.Brand{}, unavailable(err)
	}
	return b, nil
}

// scopeOf returns the scope of a user as factors see them.
func scopeOf(u factor.User) policy.Scope {
	return policy.Scope{Tenant: u.Tenant, UserType: u.UserType}
}
