package record

import (
	"encoding/binary"
	"errors"
	"time"
)

// Instance is one enrolled factor. Its own decoder, UnmarshalCBOR, knows the keys too.
type Instance struct {
	ID                string `cbor:"0,keyasint"`
	Kind              string `cbor:"1,keyasint"`
	Name              string `cbor:"2,keyasint,omitempty"`
	MaskedDestination string `cbor:"3,keyasint,omitempty"`
	State             []byte `cbor:"4,keyasint,omitempty"`
	Created           int64  `cbor:"5,keyasint,omitempty"`
	Used              int64  `cbor:"6,keyasint,omitempty"`
	// Implicit a verified address, valid only while the policy has the kind as implicit.
	Implicit bool `cbor:"7,keyasint,omitempty"`
	// Remaining, Ends and Key are what the factor says of the instance, for decisions. They are
	// set when the record is read, and not stored.
	Remaining int       `cbor:"-"`
	Ends      time.Time `cbor:"-"`
	Key       Key       `cbor:"-"`
}

// Key is what a factor says of the key of an instance, as factor.Description has it.
type Key struct {
	AMR, Certified                     string
	DeviceBound, Hardware, Compromised bool
}

var errInstance = errors.New("mfa: malformed instance")

// Instances are a user's enrolled factors.
type Instances []Instance

// UnmarshalCBOR decodes an array of instances. They are most of a record, which is decoded
// twice in a sign-in: here they cost two allocations, and not six each.
func (list *Instances) UnmarshalCBOR(data []byte) error {
	r := cborReader{data: data, text: string(data)}
	n := r.head(4)
	if n > uint64(len(data)) { // an instance has a byte at least
		return errInstance
	}
	*list = make(Instances, n)
	for i := range *list {
		(*list)[i].decode(&r)
	}
	return r.end()
}

// UnmarshalCBOR decodes an instance as the codec encodes it.
func (in *Instance) UnmarshalCBOR(data []byte) error {
	r := cborReader{data: data, text: string(data)}
	*in = Instance{}
	in.decode(&r)
	return r.end()
}

// decode decodes a map from small integers to text, bytes, integers and booleans. State is a
// part of the data: the record owns the buffer it was opened into, which nothing changes. Keys of
// a newer version are refused: what grows, grows in the record.
func (in *Instance) decode(r *cborReader) {
	for range min(r.head(5), 64) {
		switch r.head(0) {
		case 0:
			in.ID = r.string()
		case 1:
			in.Kind = r.string()
		case 2:
			in.Name = r.string()
		case 3:
			in.MaskedDestination = r.string()
		case 4:
			in.State = r.bytes()
		case 5:
			in.Created = r.integer()
		case 6:
			in.Used = r.integer()
		case 7:
			in.Implicit = r.boolean()
		default:
			r.bad = true
		}
	}
}

// Bytes is bytes that stay a part of the data they were decoded from, as State does.
type Bytes []byte

// UnmarshalCBOR decodes a byte string.
func (s *Bytes) UnmarshalCBOR(data []byte) error {
	r := cborReader{data: data}
	*s = r.bytes()
	return r.end()
}

// cborReader reads definite-length items (RFC 8949 section 3). After anything it does not
// expect, bad is set and it reads zeros.
type cborReader struct {
	data []byte
	text string // data, if there are strings in it
	at   int
	bad  bool
}

// head reads the head of an item of a major type and returns its argument.
func (r *cborReader) head(major byte) uint64 {
	b := r.take(1)
	if r.bad || b[0]>>5 != major {
		r.bad = true
		return 0
	}
	switch info := b[0] & 31; {
	case info < 24:
		return uint64(info)
	case info <= 27:
		var full [8]byte
		n := 1 << (info - 24)
		copy(full[8-n:], r.take(uint64(n)))
		return binary.BigEndian.Uint64(full[:])
	default:
		r.bad = true
		return 0
	}
}

func (r *cborReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.data)-r.at) {
		r.bad = true
		return nil
	}
	b := r.data[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}

// end says whether everything was read and nothing was unexpected.
func (r *cborReader) end() error {
	if r.bad || r.at != len(r.data) {
		return errInstance
	}
	return nil
}

func (r *cborReader) bytes() []byte { return r.take(r.head(2)) }

// string returns a text string as a part of the text form of all data.
func (r *cborReader) string() string {
	n := r.head(3)
	start := r.at
	if r.take(n); r.bad {
		return ""
	}
	return r.text[start:r.at]
}

func (r *cborReader) integer() int64 {
	if r.at < len(r.data) && r.data[r.at]>>5 == 1 {
		return -1 - int64(r.head(1)&(1<<63-1))
	}
	return int64(r.head(0) & (1<<63 - 1))
}

func (r *cborReader) boolean() bool { return r.head(7) == 21 }
