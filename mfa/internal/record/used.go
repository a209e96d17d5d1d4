package record

import (
	"encoding/binary"
	"slices"
)

// spentList is challenges that were answered rightly, 24 bytes each: the id, and when it was
// issued, big-endian. Packed, because it is read and written with every response.
type usedList []byte

const usedLen = 16 + 8

func (l usedList) id(i int) []byte { return l[i*usedLen:][:16] }

func (l usedList) issued(i int) int64 { return int64(binary.BigEndian.Uint64(l[i*usedLen+16:])) }

func (l usedList) len() int { return len(l) / usedLen }

func (l usedList) add(id [16]byte, issued int64) usedList {
	return binary.BigEndian.AppendUint64(append(slices.Clip(l), id[:]...), uint64(issued))
}

func (l usedList) remove(i int) usedList {
	return slices.Concat(l[:i*usedLen], l[(i+1)*usedLen:])
}

// spend marks a challenge as answered. When there are too many to remember, the oldest is
// let go and everything issued until then counts as spent.
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

// usedFull reports whether using one more challenge drops the oldest, and all issued before it.
func (r *Record) UsedFull() bool { return r.Used.len() >= maxUsed }
