package trail

import (
	"context"
	"os"
)

// Locked calls do while the file is locked.
func (f *File) Locked(do func()) error {
	return f.locked(func(*os.File) error { do(); return nil })
}

// NoteErased is noteErased of a Trail whose queue has no room.
func NoteErased(ctx context.Context) error {
	return (&Trail{queue: make(chan Entry)}).noteErased(ctx, nil)
}

// Looks returns how often Verify looks at so many entries that were erased one by one, in any
// order, and each of them n times.
func Looks(entries, n int) int {
	v := &verifier{}
	for seq := int64(entries); seq > 0; seq-- {
		for range n {
			v.erased = append(v.erased, [2]int64{seq, seq})
		}
	}
	for seq := range int64(entries) {
		v.missing = append(v.missing, seq+1)
	}
	_, looks := v.unexplained()
	return looks
}
