package record

import (
	"encoding/binary"
	"slices"
)

// usedList is challenges that were used, 24 bytes each: the ID, and when it was issued,
// big-endian. It is packed, because it is read and written with every response.
type usedList []byte

const usedLen = 16 + 8

// UnmarshalCBOR decodes a byte string as a part of the data, as Bytes does: add and remove make
// a new list.
func (l *usedList) UnmarshalCBOR(data []byte) error { return (*Bytes)(l).UnmarshalCBOR(data) }

func (l usedList) id(i int) []byte { return l[i*usedLen:][:16] }

func (l usedList) issued(i int) int64 { return int64(binary.BigEndian.Uint64(l[i*usedLen+16:])) }

func (l usedList) len() int { return len(l) / usedLen }

func (l usedList) add(id [16]byte, issued int64) usedList {
	return binary.BigEndian.AppendUint64(append(slices.Clip(l), id[:]...), uint64(issued))
}

func (l usedList) remove(i int) usedList {
	return slices.Concat(l[:i*usedLen], l[(i+1)*usedLen:])
}

// Use marks a challenge as used. When there are too many to remember, the oldest is dropped, and
// everything issued until then counts as used.
func (r *Record) Use(id [16]byte, issued int64) {
	r.Used = r.Used.add(id, issued)
	if r.Used.len() <= maxUsed {
		return
	}
	oldest := 0
	for i := range r.Used.len() {
		if r.Used.issued(i) < r.Used.issued(oldest) {
			oldest = i
		}
	}
	r.UsedUntil = max(r.UsedUntil, r.Used.issued(oldest))
	r.Used = r.Used.remove(oldest)
}

// IsUsed reports whether a challenge was used.
func (r *Record) IsUsed(id [16]byte, issued int64) bool {
	if issued <= r.UsedUntil {
		return true
	}
	for i := range r.Used.len() {
		if string(r.Used.id(i)) == string(id[:]) {
			return true
		}
	}
	return false
}

// UsedFull reports whether using one more challenge drops the oldest, and all issued before it.
func (r *Record) UsedFull() bool { return r.Used.len() >= maxUsed }
