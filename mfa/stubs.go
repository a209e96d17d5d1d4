package mfa

import (
	"context"
	"errors"
	"log/slog"
)

var errStub = errors.New("being written")

func New(Config) (*Manager, error) { return &Manager{}, nil }

func (m *Manager) Begin(ctx context.Context, r BeginRequest) (*Challenge, error) { return nil, errStub }
func (m *Manager) Send(ctx context.Context, r SendRequest) (*Delivery, error)    { return nil, errStub }
func (m *Manager) Verify(ctx context.Context, r VerifyRequest) (*Verification, error) {
	return nil, errStub
}
func (m *Manager) Enroll(ctx context.Context, r EnrollRequest) (*Enrollment, error) {
	return nil, errStub
}

// ResendEnrollment sends the code of a pending enrolment again.
func (m *Manager) ResendEnrollment(ctx context.Context, token EnrollmentToken, binding string) (*Delivery, error) {
	return nil, errStub
}
func (m *Manager) Confirm(ctx context.Context, r ConfirmRequest) (*Confirmation, error) {
	return nil, errStub
}
func (m *Manager) Overview(ctx context.Context, s Subject) (*Overview, error) { return nil, errStub }

// Remove, Rename need a grant. Removing the last factor under a policy that requires one is allowed
// (the next sign-in forces enrolment).
func (m *Manager) Remove(ctx context.Context, grant Grant, binding, factorID string) error {
	return errStub
}
func (m *Manager) Rename(ctx context.Context, grant Grant, binding, factorID, name string) error {
	return errStub
}

// RegenerateRecoveryCodes replaces all recovery codes (kind "recovery"); the codes are in Prompt.Codes.
func (m *Manager) RegenerateRecoveryCodes(ctx context.Context, grant Grant, binding string) (*Enrollment, error) {
	return nil, errStub
}

func (m *Manager) Reset(ctx context.Context, r AdminRequest) error  { return errStub }
func (m *Manager) Unlock(ctx context.Context, r AdminRequest) error { return errStub }

// ForgetSubject deletes everything of a person.
func (m *Manager) ForgetSubject(ctx context.Context, s Subject) error { return errStub }

func (m *Manager) Policy(ctx context.Context, tenant, userType string) (Policy, error) {
	return Policy{}, errStub
}

// SetPolicyRequest changes one policy at run time.
type SetPolicyRequest struct {
	Actor, Reason    string
	Tenant, UserType string
	Policy           Policy
}

func (m *Manager) SetPolicy(ctx context.Context, r SetPolicyRequest) error { return errStub }

// SendConfirmation mails a link that confirms Subject.Email (kind "email"), on behalf of an administrator.
func (m *Manager) SendConfirmation(ctx context.Context, r AdminRequest) (*Delivery, error) {
	return nil, errStub
}

// Kind describes one kind of factor the Manager has.
func (m *Manager) Kinds() []string { return nil }

// StaticPolicy is one policy for everybody.
func StaticPolicy(p Policy) PolicySource { return nil }

// StaticPolicies are policies by user type; "" is for all others.
func StaticPolicies(byUserType map[string]Policy) PolicySource { return nil }

// StoredPolicies are kept in the Manager's store, changed by SetPolicy, and fall back to defaults.
func StoredPolicies(defaults PolicySource) PolicySource { return nil }

// SlogEvents logs events.
func SlogEvents(l *slog.Logger) func(context.Context, Event) { return nil }
