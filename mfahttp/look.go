package mfahttp

import (
	"fmt"
	"io"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
	"github.com/secondgate/secondgate/secret"
)

// look is how the user of a visit sees the pages.
type look struct {
	brand brand.Brand
	pages *ui.Renderer
	err   error
}

// readLook reads the brand of the user, or of a visitor, once for each visit and user.
func (v *visit) readLook() error {
	if v.look == nil {
		of := v.scope()
		if v.id.User.ID == "" {
			if v.h.paths.pages(v.r) {
				v.recovery()
			}
			of = v.visitor
		}
		v.readLookOf(of)
	}
	return v.look.err
}

func (v *visit) readLookOf(of policy.Scope) {
	b, err := v.h.cfg.Manager.Brand(v.r.Context(), of)
	v.wear(b, err)
}

// readLinkLook reads the brand of the user to whom a link was sent. What is no link leaves the
// brand as it is.
func (v *visit) readLinkLook(token string) error {
	if of, err := v.h.cfg.Manager.LinkScope(secret.New(token)); err == nil {
		v.readLookOf(of)
	}
	return v.readLook()
}

// readErrorLook reads the brand for an error that came before the user was identified, such as a
// path without a page.
func (v *visit) readErrorLook() {
	if v.look != nil || v.id.User.ID != "" {
		return
	}
	id, err := v.h.cfg.Identify(v.r)
	if err != nil {
		return
	}
	if v.visitor = scopeOf(id.User); id.User.ID == "" {
		_ = v.readLook() // the page of the error is shown in any case
		return
	}
	v.readLookOf(v.visitor)
}

// wear checks the texts of a brand. After an error the look is the configured one, and no page
// but an error is shown in it.
func (v *visit) wear(b brand.Brand, err error) {
	pages := v.h.pages
	if err == nil {
		if pages, err = v.h.pages.WithTexts(b.Texts); err != nil {
			err = fmt.Errorf("%w: Config.Brand: %w", mfa.ErrUnavailable, err)
		}
	}
	if err != nil {
		b, pages = brand.Brand{}, v.h.pages
	}
	v.look = &look{b, pages, err}
}

// render writes a page in the user's look.
func (v *visit) render(w io.Writer, p ui.Page) error {
	err := v.readLook()
	if _, failed := p.(ui.Error); err != nil && !failed {
		return err
	}
	return v.look.pages.Render(w, p)
}
