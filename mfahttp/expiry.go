package mfahttp

import "time"

// endsSoon is how long before a challenge expires its page says so and offers more time (WCAG 2.2,
// 2.2.1).
const endsSoon = 2 * time.Minute

// more begins a challenge in place of one that expires soon. It permits no more than a visit after
// the end, which begins one by itself: the application still says that there is a first factor.
func (v *visit) more(purpose, kind, back string) error {
	_, err := v.begin(purpose, v.id.User)
	if err != nil {
		return err
	}
	if purpose == purposeSignIn {
		purpose = ""
	}
	return v.redirect(v.at("verify", "purpose", purpose, "kind", kind, "return", back))
}
