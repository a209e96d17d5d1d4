package passkey

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Normalize accepts what has the form of a browser's response, and does not change it. Anything
// else is no response, and is not counted.
func (f *Factor) Normalize(response string) (string, error) {
	if _, err := parse(response); err != nil {
		return "", &factor.Problem{Reason: "passkey_form",
			Detail: "this is not a response of a passkey"}
	}
	return response, nil
}

// Verify verifies a browser's response to the challenge that Issue made: a new credential while
// an enrolment is confirmed, and an assertion of it after that.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Issued == nil {
		return nil, refused("no challenge was issued")
	}
	want, err := decodeIssued(in.Issued)
	if err != nil {
		return nil, err
	}
	got, err := parse(in.Response.Reveal())
	if err != nil {
		return nil, refused("it is not a response of a passkey")
	}
	if want.Create != in.Confirming || want.Create != (got.created != nil) {
		return nil, refused("it belongs to another ceremony")
	}
	if want.Create {
		s, err := decodeState(in.State)
		if err != nil {
			return nil, err
		}
		return inTime(in)(f.register(s, want, got.created))
	}
	s, err := decodeCredential(in.State)
	if err != nil {
		return nil, err
	}
	return inTime(in)(f.assert(s, want, got.asserted))
}

// inTime refuses a correct response that comes too late. An incorrect one stays incorrect:
// ErrExpired is not counted.
func inTime(in factor.VerifyInput) func(*factor.Verdict, error) (*factor.Verdict, error) {
	return func(v *factor.Verdict, err error) (*factor.Verdict, error) {
		if err == nil && !in.Now.Before(in.Expires) {
			return nil, factor.ErrExpired
		}
		return v, err
	}
}

// refused returns the error for an incorrect response. The reason is for developers, and contains
// nothing of the response.
func refused(reason string) error {
	return fmt.Errorf("%w: passkey: %s", factor.ErrIncorrect, reason)
}

// register follows WebAuthn Level 3 section 7.1.
func (f *Factor) register(
	s state, want issued, got *protocol.ParsedCredentialCreationData,
) (*factor.Verdict, error) {
	client, auth := got.Response.CollectedClientData, got.Response.AttestationObject.AuthData
	algorithms := make([]protocol.CredentialParameter, 0, 3)
	for _, alg := range []int{algEdDSA, algES256, algRS256} {
		algorithms = append(algorithms, protocol.CredentialParameter{Type: protocol.
			PublicKeyCredentialType,
			Algorithm: webauthncose.COSEAlgorithmIdentifier(alg)})
	}
	if !f.admits(client.Origin) {
		return nil, refused("its origin is not among Config.Origins and RelatedOrigins")
	}
	clientHash, err := got.Verify(encodeChallenge(want), f.cfg.RPID, f.sites, f.apps, nil,
		protocol.TopOriginExplicitVerificationMode,
		false, want.Verify, !want.Conditional, nil, algorithms, protocol.AttestationPolicy{},
		protocol.SignaturePolicy{})
	if err != nil {
		return nil, refused(f.why(want, client, auth))
	}
	id, key := auth.AttData.CredentialID, auth.AttData.CredentialPublicKey
	if len(key) > maxKey { // the library has bounded the identifier
		return nil, refused("its key is too long")
	}
	// Without an attestation statement nothing has checked the key yet.
	if _, err := webauthncose.ParsePublicKey(key); err != nil {
		return nil, refused("its public key is none")
	}
	if slices.ContainsFunc(s.Taken, func(k known) bool { return bytes.Equal(k.ID, id) }) {
		return nil, refused("the user has it already")
	}
	if auth.Flags.HasBackupState() && !auth.Flags.HasBackupEligible() {
		return nil, refused("its backup flags contradict each other")
	}
	s = state{Handle: s.Handle, ID: bytes.Clone(id), Key: bytes.Clone(key), Count: auth.Counter,
		Verified: auth.Flags.HasUserVerified(), Eligible: auth.Flags.HasBackupEligible(),
		BackedUp:    auth.Flags.HasBackupState(),
		Transports:  transports(got.Raw.AttestationResponse.Transports),
		Conditional: want.Conditional && !auth.Flags.HasUserVerified()}
	s.AAGUID = knownAAGUID(auth.AttData.AAGUID)
	f.prove(&s, got.Response.AttestationObject, clientHash)
	return &factor.Verdict{State: encode(s), UserVerified: s.Verified, Name: f.defaultName(s)}, nil
}

// transports keeps what has the form of one; WebAuthn has them stored in order, without doubles.
func transports(list []string) []string {
	var out []string
	for _, t := range list {
		if validTransport(t) && !slices.Contains(out, t) && len(out) < maxTransports {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// assert follows WebAuthn Level 3 section 7.2.
func (f *Factor) assert(
	s state, want issued, got *protocol.ParsedCredentialAssertionData,
) (*factor.Verdict, error) {
	client, auth := got.Response.CollectedClientData, got.Response.AuthenticatorData
	if err := checkOwner(s, want, got); err != nil {
		return nil, err
	}
	if !f.admits(client.Origin) {
		return nil, refused("its origin is not among Config.Origins and RelatedOrigins")
	}
	err := got.Verify(encodeChallenge(want), f.cfg.RPID, "", f.sites, f.apps, nil,
		protocol.TopOriginExplicitVerificationMode,
		false, want.Verify, true, s.Key, protocol.SignaturePolicy{})
	if err != nil {
		return nil, refused(f.why(want, client, auth))
	}
	if auth.Flags.HasBackupState() && !auth.Flags.HasBackupEligible() {
		return nil, refused("its backup flags contradict each other")
	}
	if auth.Flags.HasBackupEligible() != s.Eligible {
		return &factor.Verdict{Outdated: true}, errChanged
	}
	// A counter of zero has not counted yet; that of a synchronised passkey never does.
	cloned := s.Count != 0 && auth.Counter <= s.Count
	if cloned && f.cfg.OnClone == Refuse {
		return &factor.Verdict{Cloned: true}, fmt.Errorf("%w: passkey: its counter did not rise",
			factor.ErrReplayed)
	}
	s.Count = max(s.Count, auth.Counter)
	s.BackedUp = auth.Flags.HasBackupState()
	if len(s.Handle) == 0 && len(got.Response.UserHandle) <= maxHandle {
		s.Handle = bytes.Clone(got.Response.UserHandle)
	}
	if s.Conditional {
		// Another factor authorises it, as section 7.2 step 25 asks: without one, checkOwner has
		// refused a passkey that has not verified its user.
		s.Verified, s.Conditional = auth.Flags.HasUserVerified(), false
	}
	return &factor.Verdict{State: encode(s), UserVerified: auth.Flags.HasUserVerified(),
		Cloned: cloned}, nil
}

// errChanged is returned for a response that its passkey signed, and whose backup-eligible flag is
// not the one of the enrolment. Section 7.2 step 18 refuses it: a passkey that may be copied now is
// another one than the user added, which no policy may take it for. It is no guess either, so it is
// not counted: only the holder of the key sees this error, and cannot sign in with it. The Manager
// notes it of the instance, so that the user can enrol the passkey anew.
var errChanged = fmt.Errorf("%w: passkey: %w", factor.ErrExpired, &factor.Problem{
	Reason: "passkey_changed",
	Detail: "the passkey is backed up by other rules than when it was enrolled; it has to be " +
		"enrolled again"})

// checkOwner checks that the assertion is by the credential in s, and that its challenge admitted
// the credential. It also checks that the assertion names the user of s or, where the challenge
// knows the user, no user (section 7.2 steps 5 and 6).
func checkOwner(s state, want issued, got *protocol.ParsedCredentialAssertionData) error {
	h := got.Response.UserHandle
	allowed := slices.ContainsFunc(want.Allowed, func(id []byte) bool {
		return bytes.Equal(id, s.ID)
	})
	switch {
	case !bytes.Equal(got.RawID, s.ID):
		return refused("it is by another credential")
	case want.Anyone && len(h) == 0:
		return refused("it does not name its user")
	case want.Anyone && len(s.Handle) == 0:
		return refused("its user handle is not known yet, so that it takes a password beside it")
	case want.Anyone && !s.Verified:
		// Only beside another factor may a credential learn to verify users (section 7.2
		// step 25), and there is none here.
		return refused("the user was not verified when it was made, so that it takes a password " +
			"beside it")
	case !want.Anyone && !allowed:
		return refused("it is by a credential that was not asked for")
	case len(h) > 0 && len(s.Handle) > 0 && !bytes.Equal(h, s.Handle):
		return refused("it names another user")
	}
	return nil
}

func encodeChallenge(i issued) string { return base64.RawURLEncoding.EncodeToString(i.Challenge) }
