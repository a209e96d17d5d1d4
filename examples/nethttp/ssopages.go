package main

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/sso"
)

// linkView is a linked account in the security settings, and on the owner's page about a user.
type linkView struct {
	sso.Link
	Name string // of the provider
	// Off reports whether the owner has withdrawn the organisation's activation.
	Off bool
}

// offerView is a provider whose account can be linked.
type offerView struct{ ID, Name string }

// linkViews returns the accounts that a user has linked, and the providers without one.
func (a *app) linkViews(
	ctx context.Context, user *account,
) (links []linkView, offers []offerView, err error) {
	if a.signOn == nil {
		return nil, nil, nil
	}
	list, err := a.signOn.Links(ctx, user.subject())
	if err != nil {
		return nil, nil, err
	}
	active, err := a.signOn.Activations(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	offered, err := a.linkableProviders(ctx)
	if err != nil {
		return nil, nil, err
	}
	has := map[string]bool{}
	for _, l := range list {
		has[l.Provider] = true
		v := linkView{Link: l, Name: a.providerName(l.Provider), Off: true}
		for _, p := range a.providers {
			v.Off = v.Off && !(p.ID == l.Provider && p.Open)
		}
		for _, on := range active {
			v.Off = v.Off && (on.Provider != l.Provider || on.Organization != l.Organization)
		}
		links = append(links, v)
	}
	for _, p := range offered {
		if !has[p.ID] {
			offers = append(offers, offerView{p.ID, p.Name})
		}
	}
	return links, offers, nil
}

func (a *app) ssoAdminRoutes(page func(string, func(http.ResponseWriter, *http.Request, *account)),
	change func(string, adminHandler)) {
	if a.signOn == nil {
		return
	}
	page("GET /admin/sign-on", a.pageSignOn)
	change("POST /admin/sign-on/activate", a.postActivation(true))
	change("POST /admin/sign-on/deactivate", a.postActivation(false))
	change("POST /admin/sign-on/unlink", a.postUnlink)
}

// signOnView is the data of the owner's page about sign-on.
type signOnView struct {
	Active []activationView
	// Providers lists all providers.
	Providers []offerView
	Open      []string // names of those that need no activation
	Demo      string   // the demonstration's tenant
	// Provider, Organization, Reason and AcceptMFA are what the owner typed and the service
	// refused, or before the session ended. Keep keeps them for the latter.
	Provider, Organization, Reason string
	AcceptMFA                      bool
	Keep                           template.HTML
}

// signOnForm is what is kept of the form for an organisation.
var signOnForm = mfahttp.Form{Page: "/admin/sign-on",
	Fields: []string{"provider", "organization", "reason", "accept_mfa"}}

// signOnTyped is what the owner typed into the form for an organisation.
func signOnTyped(form url.Values) signOnView {
	return signOnView{Provider: form.Get("provider"), Organization: form.Get("organization"),
		Reason: form.Get("reason"), AcceptMFA: form.Get("accept_mfa") != ""}
}

type activationView struct {
	sso.Activation
	Name, ByName string
}

func (a *app) pageSignOn(w http.ResponseWriter, r *http.Request, user *account) {
	a.showSignOn(w, r, user, 0, signOnTyped(a.gate.KeptForm(w, r, signOnForm)), "")
}

func (a *app) showSignOn(
	w http.ResponseWriter, r *http.Request, user *account, status int, data signOnView,
	problem string,
) {
	ctx := r.Context()
	list, err := a.signOn.Activations(ctx, tenant)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	for _, on := range list {
		v := activationView{on, a.providerName(on.Provider), on.By}
		if by, err := a.users.byID(ctx, on.By); err == nil {
			v.ByName = by.Name
		}
		data.Active = append(data.Active, v)
	}
	for _, p := range a.providers {
		data.Providers = append(data.Providers, offerView{p.ID, p.Name})
		if p.Open {
			data.Open = append(data.Open, p.Name)
		}
	}
	if a.idp != nil {
		data.Demo = demoTenant
	}
	data.Keep = a.gate.KeepForm(r, signOnForm)
	a.show(w, r, status, "Sign-on", view{Page: "signon", User: user, Error: problem, Data: data})
}

// postActivation activates or deactivates sign-on for an organisation.
func (a *app) postActivation(on bool) adminHandler {
	act, notice := a.signOn.Activate, "Sign-on is active for that organisation."
	if !on {
		act, notice = a.signOn.Deactivate, "Users can no longer sign in with accounts from that "+
			"organisation."
	}
	return func(w http.ResponseWriter, r *http.Request, admin *administrator) {
		form := r.PostForm
		err := act(r.Context(), sso.ActivationRequest{
			Admin: a.manager.Admin(admin.actor, form.Get("reason")), Tenant: tenant,
			Activation: sso.Activation{
				Provider: form.Get("provider"), Organization: strings.TrimSpace(
					form.Get("organization")), AcceptMFA: form.Get("accept_mfa") != ""}})
		typed := signOnTyped(form)
		switch {
		case errors.Is(err, factor.ErrMalformed):
			a.showSignOn(w, r, admin.account, http.StatusUnprocessableEntity, typed,
				"This is no organisation of Microsoft or Google. Microsoft's have a tenant ID, "+
					"Google's a domain.")
		case errors.Is(err, mfa.ErrNotAvailable):
			a.showSignOn(w, r, admin.account, http.StatusConflict, typed,
				"There are too many organisations. Withdraw one first.")
		case err != nil:
			a.failPage(w, r, err)
		default:
			a.back(w, r, "/admin/sign-on", notice)
		}
	}
}

// day returns a date as pages of every language show it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
