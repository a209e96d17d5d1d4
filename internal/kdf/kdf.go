// Package kdf hashes secrets that users can remember, and that attackers could guess.
package kdf

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/secondgate/secondgate/internal/strictb64"
)

// Params are those of argon2id (RFC 9106).
type Params struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

// defaultParams is the first choice of the OWASP Password Storage Cheat Sheet for little memory.
// Nothing assigns to it but package kdftest, in tests.
var defaultParams = Params{Memory: 19 * 1024, Time: 2, Threads: 1}

const (
	saltLen = 16 // RFC 9106 section 3.1
	tagLen  = 32
	// Bounds of what a stored hash may ask for, so that a corrupted one cannot ask for all
	// there is.
	maxMemory  = 1 << 20 // KiB: 1 GiB
	maxTime    = 64
	maxThreads = 16
	maxEncoded = 256
	maxSecret  = 4096
)

// ErrMismatch: the secret is another one.
var ErrMismatch = errors.New("kdf: mismatch")

var errEncoded = errors.New("kdf: stored hash is not readable")

// Hasher hashes with argon2id, at most so many at once. It is safe for concurrent use.
type Hasher struct {
	params Params
	slots  Places
	key    func(secret, salt []byte, time, memory uint32, threads uint8, n uint32) []byte
}

// New returns a Hasher. Zero params mean 19 MiB, 2 passes, 1 thread; atOnce 0 means as many as
// there are processors. Params weaker than any line of the OWASP cheat sheet are refused.
func New(p Params, atOnce int) (*Hasher, error) {
	byDefault := p == (Params{})
	if byDefault {
		p = defaultParams
	}
	if atOnce == 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	if atOnce < 1 {
		return nil, fmt.Errorf("kdf: %d hashes at once, want at least 1", atOnce)
	}
	if !p.bounded() || !byDefault && !p.strong() { // the default is strong: a test says so
		return nil, fmt.Errorf("kdf: argon2id with %d KiB, %d passes and %d threads is outside "+
			"the bounds; "+
			"the least are 47104 KiB with 1 pass, 19456 with 2, 12288 with 3, 9216 with 4, 7168 "+
			"with 5", p.Memory, p.Time, p.Threads)
	}
	return &Hasher{params: p, slots: make(Places, atOnce), key: argon2.IDKey}, nil
}

func (p Params) bounded() bool {
	return p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxMemory && p.Time >= 1 &&
		p.Time <= maxTime && p.Threads >= 1 && p.Threads <= maxThreads
}

// strong: one of the equivalent lines of the OWASP Password Storage Cheat Sheet, or more.
func (p Params) strong() bool {
	least := map[uint32]uint32{1: 47104, 2: 19456, 3: 12288, 4: 9216}
	m, ok := least[p.Time]
	if !ok {
		m = 7168
	}
	return p.Memory >= m
}

// Hash returns secret's hash in the PHC string format. It waits for a free place, or until
// ctx is done.
func (h *Hasher) Hash(ctx context.Context, secret string) (string, error) {
	if len(secret) > maxSecret {
		return "", errors.New("kdf: secret too long")
	}
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	tag, err := h.derive(ctx, secret, salt, h.params, tagLen)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.params.Memory,
		h.params.Time, h.params.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(tag)), nil
}

// Verify returns nil if encoded is the hash of secret, ErrMismatch if it is not, and another
// error if that could not be found out. It waits like Hash.
func (h *Hasher) Verify(ctx context.Context, secret, encoded string) error {
	if len(secret) > maxSecret {
		return ErrMismatch
	}
	p, salt, want, err := decode(encoded)
	if err != nil {
		return err
	}
	got, err := h.derive(ctx, secret, salt, p, uint32(len(want)))
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return ErrMismatch
	}
	return nil
}

// NeedsRehash says whether encoded was made with other params than this Hasher's.
func (h *Hasher) NeedsRehash(encoded string) bool {
	p, _, _, err := decode(encoded)
	return err != nil || p != h.params
}

func (h *Hasher) derive(
	ctx context.Context, secret string, salt []byte, p Params, n uint32,
) ([]byte, error) {
	release, err := h.slots.Take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return h.key([]byte(secret), salt, p.Time, p.Memory, p.Threads, n), nil
}

func decode(encoded string) (p Params, salt, tag []byte, err error) {
	if len(encoded) > maxEncoded {
		return p, nil, nil, errEncoded
	}
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" ||
		parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errEncoded
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time,
		&p.Threads); err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) || !p.bounded() {
		return p, nil, nil, errEncoded
	}
	salt, err = strictb64.DecodeStd(parts[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return p, nil, nil, errEncoded
	}
	tag, err = strictb64.DecodeStd(parts[5])
	if err != nil || len(tag) < 16 || len(tag) > 64 {
		return p, nil, nil, errEncoded
	}
	return p, salt, tag, nil
}
