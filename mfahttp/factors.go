package mfahttp

import (
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// This file has the changes of a signed-in user's factors, for the pages and the API.

// factor finds one of the user's factors. It also keeps the IDs of other users' factors from
// reaching the Manager.
func (v *visit) factor(id string) (mfa.FactorInfo, error) {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return mfa.FactorInfo{}, err
	}
	for _, f := range o.Factors {
		if f.ID == id && id != "" {
			return f, nil
		}
	}
	return mfa.FactorInfo{}, errNoFactor
}

// remove removes a factor and returns its description.
func (v *visit) remove(id, password string) (mfa.FactorInfo, error) {
	if err := v.mustBeSignedIn(); err != nil {
		return mfa.FactorInfo{}, err
	}
	f, err := v.factor(id)
	if err != nil {
		return f, err
	}
	g, err := v.grant()
	if err != nil {
		return f, err
	}
	if err := v.password(f.Kind, password); err != nil {
		return f, err
	}
	return f, v.refused(v.handle(purposeManage).Remove(v.r.Context(), g, id))
}

func (v *visit) rename(id, name string) error {
	if err := v.mustBeSignedIn(); err != nil {
		return err
	}
	if _, err := v.factor(id); err != nil {
		return err
	}
	g, err := v.grant()
	if err != nil {
		return err
	}
	return v.refused(v.handle(purposeManage).Rename(v.r.Context(), g,
		mfa.FactorInfo{ID: id, Name: name}))
}

func reveal(codes []secret.Text) []string {
	var out []string
	for _, c := range codes {
		out = append(out, c.Reveal())
	}
	return out
}

// confirmLink verifies the address to which a link was sent.
func (v *visit) confirmLink(token string) error {
	_, err := v.h.cfg.Manager.ConfirmLink(v.r.Context(), secret.New(token))
	return err
}

// nameConfirmed names a factor that was just confirmed: the name can be given beside the first
// code, once the app is there to be named.
func (v *visit) nameConfirmed(conf *mfa.Confirmation, name string) error {
	g, ok := v.liveGrant()
	if !ok || name == "" || name == conf.Factor.Name {
		return nil
	}
	err := v.handle(purposeManage).Rename(v.r.Context(), g,
		mfa.FactorInfo{ID: conf.Factor.ID, Name: name})
	if err == nil {
		conf.Factor.Name = name
	}
	return err
}
