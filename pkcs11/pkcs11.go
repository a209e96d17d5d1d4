package pkcs11

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// Config says where the key is.
type Config struct {
	// Library is the path of the module's PKCS#11 library. Required.
	Library string
	// Token is the label of the token, and Key that of the key. Required. Each must be there once.
	Token, Key string
	// PIN is the user PIN of the token. Required.
	PIN secret.Text
}

// Module is a session with a hardware security module. It is safe for concurrent use.
type Module struct {
	mu      sync.Mutex
	library *pkcs11.Ctx
	session pkcs11.SessionHandle
	key     pkcs11.ObjectHandle
	closed  bool
}

var errClosed = errors.New("pkcs11: the module is closed")

var _ envelope.Vault = (*Module)(nil)

const (
	ivLen   = 12
	tagBits = 128
	// aad keeps what was encrypted for another use of the key from being taken for a key.
	aad = "secondgate/1 envelope"
)

// Open opens a session and finds the key. A key that can be read out of the module is refused.
// One process opens a library once.
func Open(cfg Config) (*Module, error) {
	library := pkcs11.New(cfg.Library)
	if library == nil {
		return nil, fmt.Errorf("pkcs11: cannot load the library %s", cfg.Library)
	}
	m := &Module{library: library}
	if err := library.Initialize(); err != nil {
		library.Destroy()
		return nil, wrap(err)
	}
	if err := m.open(cfg); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pkcs11: %w", err)
}

func (m *Module) open(cfg Config) error {
	slot, err := m.slot(cfg.Token)
	if err != nil {
		return err
	}
	if m.session, err = m.library.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
		return wrap(err)
	}
	if err := m.library.Login(m.session, pkcs11.CKU_USER, cfg.PIN.Reveal()); err != nil {
		return wrap(err)
	}
	return m.find(cfg.Key)
}

// slot returns the slot of the token with a label.
func (m *Module) slot(label string) (found uint, err error) {
	slots, err := m.library.GetSlotList(true)
	if err != nil {
		return 0, wrap(err)
	}
	count := 0
	for _, slot := range slots {
		info, err := m.library.GetTokenInfo(slot)
		if err != nil {
			return 0, wrap(err)
		}
		if info.Label == label {
			found = slot
			count++
		}
	}
	if count != 1 {
		return 0, fmt.Errorf("pkcs11: %d tokens are labelled %q, want one", count, label)
	}
	return found, nil
}

// find finds the key, and checks that it stays in the module.
func (m *Module) find(label string) error {
	err := m.library.FindObjectsInit(m.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)})
	if err != nil {
		return wrap(err)
	}
	found, _, err := m.library.FindObjects(m.session, 2)
	if err = errors.Join(err, m.library.FindObjectsFinal(m.session)); err != nil {
		return wrap(err)
	}
	if len(found) != 1 {
		return fmt.Errorf("pkcs11: the token has not one AES key labelled %q", label)
	}
	m.key = found[0]
	attributes, err := m.library.GetAttributeValue(m.session, m.key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil)})
	if err != nil {
		return wrap(err)
	}
	for _, a := range attributes {
		set := len(a.Value) == 1 && a.Value[0] == 1
		if set != (a.Type == pkcs11.CKA_SENSITIVE) {
			return fmt.Errorf("pkcs11: the key %q can be read out of the token", label)
		}
	}
	return nil
}

// Encrypt implements envelope.Vault.
func (m *Module) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	iv := make([]byte, ivLen)
	_, _ = rand.Read(iv)
	sealed, err := m.run(ctx, iv, func(mechanism []*pkcs11.Mechanism) ([]byte, error) {
		if err := m.library.EncryptInit(m.session, mechanism, m.key); err != nil {
			return nil, err
		}
		return m.library.Encrypt(m.session, key)
	})
	if err != nil {
		return nil, err
	}
	return append(iv, sealed...), nil
}

// Decrypt implements envelope.Vault.
func (m *Module) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	if len(encrypted) <= ivLen {
		return nil, errors.New("pkcs11: what is to be decrypted is too short")
	}
	iv, sealed := encrypted[:ivLen], encrypted[ivLen:]
	return m.run(ctx, iv, func(mechanism []*pkcs11.Mechanism) ([]byte, error) {
		if err := m.library.DecryptInit(m.session, mechanism, m.key); err != nil {
			return nil, err
		}
		return m.library.Decrypt(m.session, sealed)
	})
}

// run runs one operation. A library knows no context, so that it is asked before alone.
func (m *Module) run(
	ctx context.Context, iv []byte, do func([]*pkcs11.Mechanism) ([]byte, error),
) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.closed || m.library == nil {
		return nil, errClosed // the library would end the process
	}
	params := pkcs11.NewGCMParams(iv, []byte(aad), tagBits)
	defer params.Free()
	out, err := do([]*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)})
	return out, wrap(err)
}

// Close ends the session. Keys that were opened with it work on. Later calls of Encrypt and Decrypt
// are errors. Another call of Close does nothing and returns nil.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.library == nil {
		return nil
	}
	m.closed = true
	err := m.library.Finalize()
	m.library.Destroy()
	return wrap(err)
}
