package record

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Strict decoding finds out cheaply whether a newer version wrote the record; only then
// are its unknown keys collected.
var (
	cborStrict = mustDec(cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		DupMapKey: cbor.DupMapKeyEnforcedAPF})
	cborLoose = mustDec(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF})
	cborEnc   = mustEnc(cbor.CoreDetEncOptions())
)

// ErrUnreadable is returned for a record that is malformed or has a later format.
var ErrUnreadable = errors.New("mfa: stored record is not readable")

func mustDec(o cbor.DecOptions) cbor.DecMode {
	m, err := o.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}

func mustEnc(o cbor.EncOptions) cbor.EncMode {
	m, err := o.EncMode()
	if err != nil {
		panic(err)
	}
	return m
}

// knownKeys is how many keys record has, from 0.
const knownKeys = 32

// Decode returns the record that Encode wrote, in this version or another.
func Decode(data []byte) (*Record, error) {
	r := &Record{}
	err := cborStrict.Unmarshal(data, r)
	if err != nil {
		err = r.decodeNewer(data, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if len(r.Used)%usedLen != 0 || len(r.Sends)%2 != 0 {
		return nil, ErrUnreadable
	}
	if r.Format < 1 || r.Format > format {
		return nil, fmt.Errorf("%w: format %d, this version reads 1 to %d", ErrUnreadable, r.Format,
			format)
	}
	return r, nil
}

// decodeNewer decodes a record that the strict decoding refuses because a newer version wrote it.
func (r *Record) decodeNewer(data []byte, refusal error) error {
	var unknown *cbor.UnknownFieldError
	if !errors.As(refusal, &unknown) {
		return refusal
	}
	*r = Record{}
	if err := cborLoose.Unmarshal(data, r); err != nil {
		return err
	}
	return r.collectUnknown(data)
}

func (r *Record) collectUnknown(data []byte) error {
	var all map[int]cbor.RawMessage
	if err := cborLoose.Unmarshal(data, &all); err != nil {
		return err
	}
	r.unknown = make(map[int]cbor.RawMessage)
	for k, v := range all {
		if k < 0 || k >= knownKeys {
			r.unknown[k] = v
		}
	}
	return nil
}

// Encode returns the stored form of a record.
func (r *Record) Encode() ([]byte, error) {
	r.Format = format
	data, err := cborEnc.Marshal(r)
	if err != nil || len(r.unknown) == 0 {
		return data, err
	}
	var all map[int]cbor.RawMessage
	if err := cborLoose.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for k, v := range r.unknown {
		all[k] = v
	}
	return cborEnc.Marshal(all)
}

// Marshal returns the deterministic encoding of a value of any record or token.
func Marshal(v any) ([]byte, error) { return cborEnc.Marshal(v) }
