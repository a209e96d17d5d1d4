package passkey

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
)

// maxBLOB bounds a list: that of the FIDO Alliance has about 10 MiB, which are mostly icons.
const maxBLOB = 64 << 20

// Metadata is what the FIDO Metadata Service says about models of authenticators: which
// certificates attest one, what keeps its keys, how it was certified, and whether it is unsafe.
// It never changes and is safe for concurrent use.
type Metadata struct {
	// Number is the serial number of the list. An application that refreshes it refuses a lower
	// number than it had before: an older list does not say what was revoked since.
	Number int
	// NextUpdate is when the next list is published at the latest.
	NextUpdate time.Time

	byAAGUID map[[aaguidLen]byte]model
	// bySigner has the models that have no AAGUID, by the key identifiers of the certificates that
	// attest them, in hexadecimal.
	bySigner map[string]model
	anchors  metadata.Provider
}

// model is what the list says about a model, as of when it was read. The zero value is one that is
// not listed.
type model struct {
	listed, hardware, software, compromised bool
	certified                               string
}

// ParseMetadata verifies and reads the list (BLOB) that the FIDO Metadata Service publishes at
// https://mds.fidoalliance.org. A nil root means that of the FIDO Alliance; an application with a
// service of its own, and a test, pass another. A status that begins after now, or has ended by
// then, does not count.
//
// It asks the issuers of the list's certificates over the network whether they were revoked, and
// goes on if they do not respond. Call it while the application starts, and once a day after that,
// and not while a user waits.
func ParseMetadata(blob []byte, root *x509.Certificate, now time.Time) (*Metadata, error) {
	if len(blob) > maxBLOB {
		return nil, fmt.Errorf("passkey: metadata has at most %d MiB", maxBLOB>>20)
	}
	options := []metadata.DecoderOption{metadata.WithIgnoreEntryParsingErrors()}
	if root != nil {
		options = append(options,
			metadata.WithRootCertificate(base64.StdEncoding.EncodeToString(root.Raw)))
	}
	decoder, err := metadata.NewDecoder(options...)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	payload, err := decoder.DecodeBytes(blob)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	list, err := decoder.Parse(payload)
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	return newMetadata(list, now)
}

func newMetadata(list *metadata.Metadata, now time.Time) (*Metadata, error) {
	m := &Metadata{Number: list.Parsed.Number, NextUpdate: list.Parsed.NextUpdate,
		byAAGUID: make(map[[aaguidLen]byte]model), bySigner: make(map[string]model)}
	models, signers := list.ToMap(), list.ToKeyIdentifierMap()
	for id, e := range models {
		m.byAAGUID[id] = modelOf(e, now)
	}
	for id, e := range signers {
		m.bySigner[strings.ToLower(id)] = modelOf(e, now)
	}
	var err error
	// Whether a model is unsafe is for the present list to say, whenever a key is used.
	m.anchors, err = memory.New(memory.WithMetadata(models),
		memory.WithMetadataKeyIdentifiers(signers), memory.WithValidateEntryKeyIdentifier(true),
		memory.WithValidateEntry(true), memory.WithValidateEntryPermitZeroAAGUID(false),
		memory.WithValidateTrustAnchor(true), memory.WithValidateAttestationTypes(true),
		memory.WithValidateAAGUID(true), memory.WithValidateStatus(false))
	if err != nil {
		return nil, fmt.Errorf("passkey: metadata: %w", err)
	}
	return m, nil
}

// certified are the levels of FIDO's authenticator certification, as the list has them.
var certified = map[metadata.AuthenticatorStatus]string{
	metadata.FidoCertifiedL1: "L1", metadata.FidoCertifiedL1plus: "L1+",
	metadata.FidoCertifiedL2: "L2", metadata.FidoCertifiedL2plus: "L2+",
	metadata.FidoCertifiedL3: "L3", metadata.FidoCertifiedL3plus: "L3+",
}

// modelOf reads an entry. Of several certifications the last counts, as the list is in the order in
// which it grew. What makes one batch unsafe makes the model unsafe: nothing tells which batches
// users have.
func modelOf(e *metadata.Entry, now time.Time) model {
	protection := e.MetadataStatement.KeyProtection
	has := func(kind string) bool { return slices.Contains(protection, kind) }
	// The words are those of FIDO's Registry of Predefined Values.
	m := model{listed: true, software: has("software"),
		hardware: has("hardware") || has("tee") || has("secure_element")}
	for _, r := range metadata.EffectiveStatusReports(e.StatusReports, now) {
		m.compromised = m.compromised || metadata.IsUndesiredAuthenticatorStatus(r.Status)
		if level, ok := certified[r.Status]; ok {
			m.certified = level
		} else if r.Status == metadata.NotFidoCertified {
			m.certified = ""
		}
	}
	return m
}

// model returns the model that keeps a passkey, or one of which nothing is known.
func (m *Metadata) model(s state) model {
	if m == nil {
		return model{}
	}
	if len(s.AAGUID) == aaguidLen {
		return m.byAAGUID[[aaguidLen]byte(s.AAGUID)]
	}
	return m.bySigner[s.Signer]
}
