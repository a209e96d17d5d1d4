package customfactor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	approvalFormat = 1
	deviceLen      = 16
	challengeLen   = 32
	numberLen      = 2
	approvalTTL    = 90 * time.Second
)

// ApprovalConfig configures an Approval. All fields are required.
type ApprovalConfig struct {
	// Push sends a request to a device, as a push service does. A device that is being enrolled
	// fetches its request when the user has opened PairURL on it.
	Push func(ctx context.Context, r Request) error
	// Answers has what the devices answer. All processes of the application share it.
	Answers *Answers
	// PairURL opens the application on the device. The query gets the parameter "device".
	PairURL string
}

// Request asks the user of a device whether they are signing in. The device asks for the number
// that the page of the sign-in shows, which a Request does not have.
type Request struct {
	Device, Challenge string
}

// Approval is the factor of users who approve a sign-in on another device, with the kind
// "approval". The device proves by its Ed25519 key that the user typed the number of the page.
type Approval struct{ cfg ApprovalConfig }

var _ factor.Challenger = (*Approval)(nil)

// NewApproval returns an Approval, or an error that names the field of cfg that is missing.
func NewApproval(cfg ApprovalConfig) (*Approval, error) {
	switch {
	case cfg.Push == nil:
		return nil, errors.New("customfactor: ApprovalConfig.Push is nil")
	case cfg.Answers == nil:
		return nil, errors.New("customfactor: ApprovalConfig.Answers is nil")
	case cfg.PairURL == "":
		return nil, errors.New("customfactor: ApprovalConfig.PairURL is empty")
	}
	return &Approval{cfg: cfg}, nil
}

// Kind returns "approval".
func (a *Approval) Kind() string { return "approval" }

// Traits says that nothing is typed into the page, so that the Manager asks again until the user
// has decided. A forged site can show the number of the true one: it is not phishing-resistant.
func (a *Approval) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "pop", Polled: true,
		Settings: factor.Settings{Lifetime: approvalTTL}}
}

// Enroll prepares a device. Its key comes with the first answer, which confirms the enrolment.
func (a *Approval) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	device := make([]byte, deviceLen)
	_, _ = rand.Read(device) // never fails since Go 1.24
	query := url.Values{"device": {text(device)}}
	return &factor.EnrollOutput{State: append([]byte{approvalFormat}, device...), Name: "Phone",
		Prompt: factor.Prompt{URI: secret.New(a.cfg.PairURL + "?" + query.Encode())}}, nil
}

// Issue makes a challenge for the device, and a number for the page.
func (a *Approval) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	if _, _, err := readDevice(in.State); err != nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(100))
	if err != nil {
		return nil, err
	}
	number := fmt.Sprintf("%0*d", numberLen, n)
	challenge := make([]byte, challengeLen)
	_, _ = rand.Read(challenge) // never fails since Go 1.24
	data, err := json.Marshal(map[string]string{"number": number})
	if err != nil {
		return nil, err
	}
	return &factor.Issue{Keep: append(challenge, number...), Expires: in.Now.Add(approvalTTL),
		Payload: secret.New(text(challenge)), Prompt: factor.Prompt{Data: data}}, nil
}

// Deliver waits for an answer to the challenge from now on, and asks the device for it.
func (a *Approval) Deliver(ctx context.Context, in factor.Message) error {
	device, _, err := readDevice(in.State)
	if err != nil {
		return err
	}
	challenge := in.Payload.Reveal()
	if err := a.cfg.Answers.expect(challenge, in.Time.Add(approvalTTL)); err != nil {
		return err
	}
	return a.cfg.Push(ctx, Request{Device: text(device), Challenge: challenge})
}

// Verify reads the answer to the challenge. Until there is one, it returns factor.ErrPending.
func (a *Approval) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	device, key, err := readDevice(in.State)
	if err != nil || len(in.Issued) != challengeLen+numberLen {
		return nil, factor.ErrIncorrect
	}
	challenge, number := text(in.Issued[:challengeLen]), string(in.Issued[challengeLen:])
	answer, ok := a.cfg.Answers.answer(challenge)
	if !ok {
		return nil, factor.ErrPending
	}
	enrolling := key == nil
	if enrolling {
		key = answer.Key
	}
	typed := subtle.ConstantTimeCompare([]byte(answer.Number), []byte(number)) == 1
	switch {
	case len(key) != ed25519.PublicKeySize,
		!ed25519.Verify(key, answer.signed(challenge), answer.Signature),
		!answer.Approve, !typed:
		return nil, factor.ErrIncorrect
	case !in.Now.Before(in.Expires):
		return nil, factor.ErrExpired
	case enrolling:
		state := append([]byte{approvalFormat}, device...)
		return &factor.Verdict{State: append(state, key...)}, nil
	}
	return &factor.Verdict{}, nil
}

// readDevice returns the device of a state, and its key once it is enrolled.
func readDevice(state []byte) (device []byte, key ed25519.PublicKey, err error) {
	const pending, enrolled = 1 + deviceLen, 1 + deviceLen + ed25519.PublicKeySize
	switch {
	case len(state) == pending && state[0] == approvalFormat:
		return state[1:], nil, nil
	case len(state) == enrolled && state[0] == approvalFormat:
		return state[1:pending], ed25519.PublicKey(state[pending:]), nil
	}
	return nil, nil, errors.New("customfactor: unreadable state of a device")
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
