package passkey

import (
	"errors"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of what is kept. A credential identifier has at most 1023 bytes (WebAuthn Level 3
// section 4); a key of RSA with 4096 bits takes 550.
const (
	maxHandle     = 64 // section 4, user handle
	maxID         = 1023
	maxKey        = 1024
	maxTransports = 8
	maxTransport  = 32
	maxSigner     = 128 // a key identifier in hexadecimal, 40 as a rule
	// maxKept limits how many credentials a user can have, as the core limits instances.
	maxKept = 16
)

// state is what is kept of an instance: the credential record of WebAuthn Level 3 section 4.
// Until the enrolment is confirmed there is no credential, and Taken holds those that the user
// has. Numbers are never used again for another meaning.
type state struct {
	// Handle is 32 random bytes, or what another system chose. An imported credential may have none
	// until its first assertion says it.
	Handle     []byte   `cbor:"0,keyasint,omitempty"`
	ID         []byte   `cbor:"1,keyasint,omitempty"`
	Key        []byte   `cbor:"2,keyasint,omitempty"` // COSE
	Count      uint32   `cbor:"3,keyasint,omitempty"`
	Verified   bool     `cbor:"4,keyasint,omitempty"` // uvInitialized; an assertion never raises it
	Eligible   bool     `cbor:"5,keyasint,omitempty"` // BE
	BackedUp   bool     `cbor:"6,keyasint,omitempty"` // BS
	Transports []string `cbor:"7,keyasint,omitempty"`
	Taken      []known  `cbor:"8,keyasint,omitempty"`
	// AAGUID is the model of the authenticator, as it says itself: for display alone.
	AAGUID []byte `cbor:"9,keyasint,omitempty"`
	// Attachment is what the enrolment asks for: "platform", "cross-platform", or "" for either.
	Attachment string `cbor:"10,keyasint,omitempty"`
	// Conditional says that the browser makes, or has made, the passkey without a prompt, so that
	// no user was present or verified. The first assertion beside another factor ends it.
	Conditional bool `cbor:"11,keyasint,omitempty"`
	// Proven says that a certificate of the metadata attested the model at the enrolment. The model
	// is that of AAGUID or, without one, of Signer.
	Proven bool   `cbor:"12,keyasint,omitempty"`
	Signer string `cbor:"13,keyasint,omitempty"`
}

// known is a credential as options name it.
type known struct {
	ID         []byte   `cbor:"0,keyasint"`
	Transports []string `cbor:"1,keyasint,omitempty"`
}

func (s state) known() known { return known{ID: s.ID, Transports: s.Transports} }

var (
	errState  = errors.New("passkey: the stored state is not readable")
	errIssued = errors.New("passkey: the stored challenge is not readable")
)

// Both modes are immutable.
var (
	encMode = must(cbor.CoreDetEncOptions().EncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxArrayElements:  maxKept,
		MaxMapPairs:       16,
		MaxNestedLevels:   5,
	}.DecMode())
)

func must[M any](mode M, err error) M {
	if err != nil {
		panic("passkey: " + err.Error()) // constant options: cannot fail
	}
	return mode
}

func encode(v any) []byte {
	b, err := encMode.Marshal(v)
	if err != nil {
		panic("passkey: " + err.Error()) // plain data: cannot fail
	}
	return b
}

// decodeState refuses what encode does not make of a state that Enroll or Verify makes.
func decodeState(b []byte) (state, error) {
	var s state
	if decMode.Unmarshal(b, &s) != nil || !s.validHandle() {
		return state{}, errState
	}
	if len(s.ID) == 0 != (len(s.Key) == 0) || len(s.ID) > maxID || len(s.Key) > maxKey ||
		!s.describable() || s.BackedUp && !s.Eligible {
		return state{}, errState
	}
	for _, k := range s.Taken {
		if len(k.ID) == 0 || len(k.ID) > maxID || !validTransports(k.Transports) {
			return state{}, errState
		}
	}
	return s, nil
}

func (s state) validHandle() bool {
	return len(s.Handle) <= maxHandle && (len(s.Handle) > 0 || len(s.ID) > 0)
}

// decodeCredential is decodeState for an instance that has been confirmed.
func decodeCredential(b []byte) (state, error) {
	s, _ := decodeState(b) // the zero state if it cannot be read
	if len(s.ID) == 0 {
		return state{}, errState
	}
	return s, nil
}

// describable reports whether what an authenticator said about itself has its form.
func (s state) describable() bool {
	return validTransports(s.Transports) && validAttachment(s.Attachment) &&
		len(s.Signer) <= maxSigner &&
		(len(s.AAGUID) == 0 || len(s.AAGUID) == aaguidLen)
}

// The values of AuthenticatorAttachment (WebAuthn Level 3 section 5.4.5).
const platform, crossPlatform = "platform", "cross-platform"

func validAttachment(s string) bool { return s == "" || s == platform || s == crossPlatform }

func validTransports(list []string) bool {
	return len(list) <= maxTransports && !slices.ContainsFunc(list, func(t string) bool {
		return !validTransport(t)
	})
}

// validTransport: the values are an open list (WebAuthn Level 3 section 5.8.4), so that the
// form is all that can be checked of one.
func validTransport(t string) bool {
	if t == "" || len(t) > maxTransport {
		return false
	}
	for _, c := range []byte(t) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
