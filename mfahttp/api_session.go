package mfahttp

// This file has the routes that end a session or a challenge, and the one for the link of a
// verification mail.

func apiSignOut(v *visit) error {
	if _, err := v.body(); err != nil {
		return err
	}
	return v.answerEmpty(v.signOut())
}

func apiCancel(v *visit) error {
	var purpose string
	if _, err := v.read(map[string]*string{"purpose": &purpose}); err != nil {
		return err
	}
	p, err := v.purpose(purpose)
	if err != nil {
		return err
	}
	return v.answerEmpty(v.cancel(p))
}

func apiCancelEnrollment(v *visit) error {
	id, err := v.readEnrollment()
	if err != nil {
		return err
	}
	return v.answerEmpty(v.cancelEnrollment(id))
}

// apiConfirmLink is for every visitor: the link is the proof, and it is opened on any device.
func apiConfirmLink(v *visit) error {
	var token string
	if _, err := v.read(map[string]*string{"token": &token}); err != nil {
		return err
	}
	if token == "" {
		return malformed("token is missing")
	}
	return v.answerEmpty(v.confirmLink(token))
}
