package mfahttp

import "github.com/secondgate/secondgate/mfa"

// pageLink shows a button. Mail programs and scanners open links before users do, so a GET must
// not confirm anything; they do not post.
func pageLink(v *visit) error {
	token := v.r.URL.Query().Get("token")
	if token == "" || len(token) > maxURL*2 {
		return mfa.ErrToken
	}
	if err := v.readLinkLook(token); err != nil {
		return err
	}
	return v.showLink(token)
}

// postLink leads on with the link, which is used now: the next page has the brand of the user to
// whom it was sent, on a device that knows no user.
func postLink(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	token := f.Get("token")
	if err := v.readLinkLook(token); err != nil {
		return err
	}
	if err := v.confirmLink(token); err != nil {
		return err
	}
	return v.redirect(v.at("confirmed", "token", token))
}

func pageConfirmed(v *visit) error {
	if token := v.r.URL.Query().Get("token"); token != "" {
		if err := v.readLinkLook(token); err != nil {
			return err
		}
	}
	return v.showConfirmed()
}
