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
