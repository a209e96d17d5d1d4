package mfa_test

import (
	"errors"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// tolerated has, by operation, what it does despite a fault, and says why.
var tolerated = map[string][]string{
	// The access code is valid whether or not the user can be taken off the list of support.
	"Admin.Enroll": {"succeeds: get 2", "succeeds: damaged 2", "succeeds: delete 1"},
	// The reset stands. The identity of a passkey that is not removed leads to no user. The error
	// says that the user is still on the list of support.
	"Admin.Reset": {"succeeds: get 2", "succeeds: get 3", "succeeds: damaged 2",
		"succeeds: damaged 3", "succeeds: delete 1", "says admin.reset: get 4",
		"says admin.reset: damaged 4", "says admin.reset: delete 2"},
	// A record that cannot be read is deleted all the same. The error says that the user is still
	// on the list of support.
	"Admin.Delete": {"succeeds: damaged 1", "succeeds: damaged 3", "says admin.delete: get 5",
		"says admin.delete: damaged 4", "says admin.delete: delete 3"},
	// The passkey is enrolled; the last read is to see that its identity is still there.
	"Confirm a passkey": {"succeeds: get 4", "succeeds: damaged 3"},
}

// operations are the operations of the Manager, each of which succeeds over the records of a sweep.
var operations = map[string]operation{
	"Begin": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Begin(s.t.Context())
		return err
	},
	"Begin on a device": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).OnDevice(s.device).Begin(s.t.Context())
		return err
	},
	"Begin with an exception": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(eve, binding).Begin(s.t.Context())
		return err
	},
	"Begin with a respite": func(s *sweep, m *mfa.Manager) error {
		fresh := mfa.User{ID: "new", UserType: gil.UserType}
		_, err := m.Session(fresh, binding).Begin(s.t.Context())
		return err
	},
	"Postpone": func(s *sweep, m *mfa.Manager) error {
		return m.Session(gil, binding).Postpone(s.t.Context(), s.postponed)
	},
	"Send": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Send(s.t.Context(), s.ch, "mail")
		return err
	},
	"Send for a passkey": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Send(s.t.Context(), s.ch, "key")
		return err
	},
	"SendFirst": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).SendFirst(s.t.Context(), s.ch, mfa.Option{Kind: "mail"})
		return err
	},
	"Cancel": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Cancel(s.t.Context(), s.abandoned)
	},
	"Verify by an app": func(s *sweep, m *mfa.Manager) error {
		return verifies(s, m, s.ch, "app", secret.New("word"))
	},
	"Verify by a code": func(s *sweep, m *mfa.Manager) error {
		return verifies(s, m, s.ch, "mail", s.code)
	},
	"Verify by a PIN": func(s *sweep, m *mfa.Manager) error {
		return verifies(s, m, s.ch, "pin", secret.New("1234"))
	},
	"Verify by a recovery code": func(s *sweep, m *mfa.Manager) error {
		return verifies(s, m, s.ch, "recovery", secret.New("a"))
	},
	"Verify by a passkey": func(s *sweep, m *mfa.Manager) error {
		return verifies(s, m, s.keyCh, "key", s.keyResponse)
	},
	"Verify without a password": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Passwordless(binding).Verify(s.t.Context(), s.unused, s.openResponse,
			known(ann))
		return err
	},
	"RequestSupport": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).RequestSupport(s.t.Context(), s.ch, report.Case{})
	},
	"SendRecoveryLink": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).SendRecoveryLink(s.t.Context(), s.ch)
		return err
	},
	"OpenRecoveryLink": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, elsewhere).Recovery().OpenRecoveryLink(s.t.Context(),
			s.recoveryLink)
		return err
	},
	"Overview": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Overview(s.t.Context(), ann)
		return err
	},
	"PasswordChanged": func(s *sweep, m *mfa.Manager) error {
		return m.PasswordChanged(s.t.Context(), ann)
	},
	"Decline": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Decline(s.t.Context(), "key")
	},
	"RecoveryCodesSaved": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).RecoveryCodesSaved(s.t.Context(), s.codesID)
	},
	"ConfirmLink": func(s *sweep, m *mfa.Manager) error {
		_, err := m.ConfirmLink(s.t.Context(), s.verifyLink)
		return err
	},

	"Enroll": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Enroll(s.t.Context(), s.grant, words("app", "third")[0])
		return err
	},
	"Enroll an address": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Enroll(s.t.Context(), s.grant,
			mfa.EnrollRequest{Kind: "mail", Params: map[string]secret.Text{
				"address": secret.New("work@example.com")}})
		return err
	},
	"NewRecoveryCodes": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).NewRecoveryCodes(s.t.Context(), s.grant)
		return err
	},
	"Resend": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Resend(s.t.Context(), s.mailPending)
		return err
	},
	"SendElsewhere": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).SendElsewhere(s.t.Context(), s.appPending)
		return err
	},
	"Confirm": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Confirm(s.t.Context(), s.appPending, secret.New("other"))
		return err
	},
	"Confirm an address": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Confirm(s.t.Context(), s.mailPending, s.mailCode)
		return err
	},
	"Confirm a passkey": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).Confirm(s.t.Context(), s.keyPending, s.keyConfirms)
		return err
	},
	"ChangeAddress": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).ChangeAddress(s.t.Context(), s.grant,
			secret.New("later@example.com"))
		return err
	},
	"ConfirmAddress": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Session(ann, binding).ConfirmAddress(s.t.Context(), s.moving, s.moveCode,
			stored)
		return err
	},
	"Check": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Check(s.t.Context(), s.grant)
	},
	"CheckPasswordChange": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).CheckPasswordChange(s.t.Context(), s.grant)
	},
	"Remove": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Remove(s.t.Context(), s.grant, s.appID)
	},
	"Rename": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Rename(s.t.Context(), s.grant,
			mfa.FactorInfo{ID: s.appID, Name: "Phone"})
	},
	"Prefer": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).Prefer(s.t.Context(), s.grant, "pin")
	},
	"UseImplied": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).UseImplied(s.t.Context(), s.grant, false)
	},
	"ForgetDevice": func(s *sweep, m *mfa.Manager) error {
		return m.Session(ann, binding).ForgetDevice(s.t.Context(), s.grant, s.deviceID)
	},

	"Admin.Reset": func(s *sweep, m *mfa.Manager) error {
		return by(m).Reset(s.t.Context(), ann)
	},
	"Admin.Unlock": func(s *sweep, m *mfa.Manager) error {
		return by(m).Unlock(s.t.Context(), ann)
	},
	"Admin.Delete": func(s *sweep, m *mfa.Manager) error {
		return by(m).Delete(s.t.Context(), ann)
	},
	"Admin.Remove": func(s *sweep, m *mfa.Manager) error {
		return by(m).Remove(s.t.Context(), ann, s.appID)
	},
	"Admin.Enroll": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).Enroll(s.t.Context(), ann, mfa.EnrollRequest{Kind: "access"})
		return err
	},
	"Admin.Import": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).Import(s.t.Context(), person(1), words("app", "moved"))
		return err
	},
	"Admin.Export": func(s *sweep, m *mfa.Manager) error {
		var all error
		for _, err := range by(m).Export(s.t.Context(), "") {
			all = errors.Join(all, err)
		}
		return all
	},
	"Admin.Preview": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).Preview(s.t.Context(), ann, policy.Policy{})
		return err
	},
	"Admin.PersonalData": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).PersonalData(s.t.Context(), ann)
		return err
	},
	"Admin.SendVerificationLink": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).SendVerificationLink(s.t.Context(), ann)
		return err
	},
	"Admin.SendRecoveryLink": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).SendRecoveryLink(s.t.Context(), ann)
		return err
	},
	"Admin.SupportCases": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).SupportCases(s.t.Context(), "")
		return err
	},
	"Admin.CloseSupportCase": func(s *sweep, m *mfa.Manager) error {
		return by(m).CloseSupportCase(s.t.Context(), ann)
	},
	"Admin.GrantException": func(s *sweep, m *mfa.Manager) error {
		return by(m).GrantException(s.t.Context(), gil, "director", s.clock.Now().Add(day))
	},
	"Admin.EndException": func(s *sweep, m *mfa.Manager) error {
		return by(m).EndException(s.t.Context(), eve)
	},
	"Admin.Exceptions": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).Exceptions(s.t.Context(), "")
		return err
	},
	"Admin.SetPolicy": func(s *sweep, m *mfa.Manager) error {
		return by(m).SetPolicy(s.t.Context(), policy.StoredPolicy{Policy: passwordless})
	},
	"Admin.Report": func(s *sweep, m *mfa.Manager) error {
		_, err := by(m).Report(s.t.Context())
		return err
	},
	"Audit": func(s *sweep, m *mfa.Manager) error {
		_, err := m.Audit(s.t.Context(), s.cfg.Profile)
		return err
	},
	"Reencrypt": func(s *sweep, m *mfa.Manager) error {
		var all error
		for _, err := range m.Reencrypt(s.t.Context(), "") {
			all = errors.Join(all, err)
		}
		return all
	},
}

func by(m *mfa.Manager) mfa.Admin { return m.Admin(boss, "badge 7") }

func verifies(s *sweep, m *mfa.Manager, ch *mfa.Challenge, kind string, text secret.Text) error {
	_, err := m.Session(ann, binding).Verify(s.t.Context(), ch, kind, text)
	return err
}
