package mfahttp

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// ErrAddressTaken is returned by [Config.StoreAddress], perhaps wrapped, for an address that
// another account has. The Handler treats any other error as a failure of the application.
var ErrAddressTaken = errors.New("mfahttp: another account has the address")

// This file changes the address of record. Recovery links go there, so the user proves the
// strongest factor, and gives the password unless that was minutes ago.

// mayChangeAddress returns an error if the application does not offer it, or if the user is not
// signed in.
func (v *visit) mayChangeAddress() error {
	if v.h.cfg.StoreAddress == nil {
		return errNotFound
	}
	return v.mustBeSignedIn()
}

// changeAddress sends a code to a new address. It does not ask the application whether another
// account has the address: the code is sent in either case, and the response is the same.
func (v *visit) changeAddress(address, password string) (string, *mfa.Enrollment, error) {
	g, err := v.grant()
	if err != nil {
		return "", nil, err
	}
	if err := v.freshPassword(password); err != nil {
		return "", nil, err
	}
	address = strings.TrimSpace(address)
	e, err := v.handle(purposeManage).ChangeAddress(v.r.Context(), g, secret.New(address))
	if err != nil {
		return "", nil, v.refused(err)
	}
	return v.keepBegun(e, enrollment{Address: e.Address.Reveal()}), e, nil
}

// confirmAddress stores the new address if the code is correct. Only then the user learns that
// another account has it, and the code is used.
func (v *visit) confirmAddress(id, code string) error {
	e, ok := v.enrollment(id)
	if !ok || e.Address == "" {
		return v.absent(mfa.ErrTokenExpired)
	}
	var storeErr error
	conf, err := v.handle(purposeManage).ConfirmAddress(v.r.Context(), e.Token, secret.New(code),
		func(ctx context.Context) error {
			storeErr = v.h.cfg.StoreAddress(ctx, v.id.User, e.Address)
			return storeErr
		})
	switch {
	case errors.Is(storeErr, ErrAddressTaken):
		err = ErrAddressTaken
	case storeErr != nil:
		err = hookError("StoreAddress", mfa.ErrUnavailable, storeErr)
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
	case err != nil: // the code is still valid
		return v.refused(err)
	default:
		v.replaceGrant(conf.Grant, conf.GrantExpires)
	}
	v.dropEnrollment(id)
	return err
}

func apiChangeAddress(v *visit) error {
	if err := v.mayChangeAddress(); err != nil {
		return err
	}
	var address, password string
	if _, err := v.read(map[string]*string{"address": &address,
		"password": &password}); err != nil {
		return err
	}
	id, e, err := v.changeAddress(address, password)
	if err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, v.enrolled(id, e))
	return nil
}

func apiConfirmAddress(v *visit) error {
	if err := v.mayChangeAddress(); err != nil {
		return err
	}
	var id, code string
	if _, err := v.read(map[string]*string{"enrollment": &id, "code": &code}); err != nil {
		return err
	}
	if id == "" {
		return malformed("enrollment is missing")
	}
	return v.answerEmpty(v.confirmAddress(id, code))
}
