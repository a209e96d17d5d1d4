package mfahttp

import "github.com/secondgate/secondgate/mfa"

// This file decides which page follows a correct response.

// afterVerify redirects the user after a correct response. A recovery continues with an
// enrolment, and a user who signed in by a recovery code sees how many remain. A user whose factor
// is to be renewed sees that.
func (v *visit) afterVerify(ver *mfa.Verification, back, code string) error {
	v.signals = ver.Kind == kindPasskey
	if ver.Purpose == purposeRecover {
		return v.redirect(v.at("enroll"))
	}
	if ver.RecoveryCodesRemaining >= 0 && ver.Purpose == purposeSignIn {
		v.note(notice{Code: noteRecovered, Remaining: ver.RecoveryCodesRemaining})
		return v.redirect(v.at("factors"))
	}
	if ver.RecoveryCodesDue && ver.Purpose == purposeSignIn {
		v.owe(true)
		return v.redirect(v.at("recovery-codes", "return", back))
	}
	if ver.RenewalDue && ver.Purpose == purposeSignIn {
		v.note(notice{Code: noteRenewal, Kind: ver.Kind, Remaining: -1})
		return v.redirect(v.at("factors"))
	}
	if which := v.passkeyOffer(ver, code); which != "" {
		return v.redirect(v.at("offer", "passkey", which, "return", back))
	}
	return v.back(back)
}
