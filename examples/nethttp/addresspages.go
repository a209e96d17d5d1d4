package main

import (
	"html/template"
	"net/http"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

func (a *app) addressRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+addressPath, a.member(a.pageAddress))
	mux.HandleFunc("POST "+addressPath, a.member(a.postAddress))
}

// addressView is the data of the page on which a user changes their address.
type addressView struct {
	Typed string
	// Keep keeps Typed when the session ends before the form is submitted.
	Keep template.HTML
	// Sent is the new address, once a code was sent there.
	Sent string
}

func (a *app) pageAddress(w http.ResponseWriter, r *http.Request, user *account) {
	session, _, err := a.addressGrant(r)
	if err != nil {
		a.failPage(w, r, unproven(err))
		return
	}
	p := a.changingAddress(r.Context(), session)
	if r.URL.Query().Has("another") {
		p = nil
	}
	typed := a.gate.KeptForm(w, r, addressForm).Get("address")
	a.showAddress(w, r, 0, user, p, typed, "")
}

// addressForm is what is kept of the form for a new address.
var addressForm = mfahttp.Form{Page: addressPath, Fields: []string{"address"}}

func (a *app) showAddress(w http.ResponseWriter, r *http.Request, status int, user *account,
	p *pendingAddress, typed, problem string,
) {
	v := view{Page: "address", User: user, Error: problem, Data: addressView{Typed: typed,
		Keep: a.gate.KeepForm(r, addressForm)}}
	title := "Change your e-mail address"
	if p != nil {
		title, v.Data = "Enter the code", addressView{Sent: p.Address}
	}
	a.show(w, r, status, title, v)
}

// postAddress takes an address, or a response for the one that a code was sent to.
func (a *app) postAddress(w http.ResponseWriter, r *http.Request, user *account) {
	session, grant, err := a.addressGrant(r)
	if err == nil {
		err = parseForm(r)
	}
	if err != nil {
		a.failPage(w, r, unproven(err))
		return
	}
	if r.PostForm.Has("address") {
		a.postNewAddress(w, r, user, session, grant)
		return
	}
	p := a.changingAddress(r.Context(), session)
	if p == nil {
		a.back(w, r, addressPath, "")
		return
	}
	if r.PostForm.Has("resend") {
		_, err = session.Resend(r.Context(), p.Enrollment)
	} else {
		err = a.confirmAddress(r.Context(), session, user, p, r.PostForm.Get("code"))
	}
	switch problem := explainAddress(err); {
	case problem != "":
		if a.sessions.GetString(r.Context(), sessionAddress) == "" {
			p = nil // the code is used
		}
		a.showAddress(w, r, http.StatusUnprocessableEntity, user, p, "", problem)
	case err != nil:
		a.failPage(w, r, unproven(err))
	case r.PostForm.Has("resend"):
		a.back(w, r, addressPath, "We sent another code.")
	default:
		a.sessions.Put(r.Context(), sessionRenamed, true)
		a.back(w, r, "/", "Your e-mail address is changed.")
	}
}

func (a *app) postNewAddress(
	w http.ResponseWriter, r *http.Request, user *account, session mfa.Session, grant mfa.Grant,
) {
	typed := r.PostForm.Get("address")
	err := a.startAddressChange(r, session, grant, typed)
	switch problem := explainAddress(err); {
	case problem != "":
		a.showAddress(w, r, http.StatusUnprocessableEntity, user, nil, typed, problem)
	case err != nil:
		a.failPage(w, r, unproven(err))
	default:
		a.back(w, r, addressPath, "")
	}
}
