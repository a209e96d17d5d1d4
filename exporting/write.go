package exporting

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
)

// format is the name and the version of what Write writes.
const format = "secondgate export 1"

// Options configures Write. The zero value is ready to use.
type Options struct {
	// Cursor is where to begin: the Done.Cursor of a Write that was cut off, or "" for all users.
	Cursor string
	// Page is called after each page was written, with how far the export is. It may be nil.
	Page func(Done)
}

// Done is how far an export has come since Write was called.
type Done struct {
	// Users and Factors are how many were written. Left is how many factors stay behind; the line
	// of a user has the reasons.
	Users, Factors, Left int
	// Unreadable is how many records none of the keys opens, or were altered. Unread are those of
	// the last page. Each error names the record's key and wraps the reason.
	Unreadable int
	Unread     []error
	// Cursor is where another Write goes on, and "" if everything was written. It is text.
	Cursor string
}

type (
	firstLine struct {
		Format   string    `json:"format"`
		Exported time.Time `json:"exported"`
	}
	userLine struct {
		ID       string       `json:"id"`
		Tenant   string       `json:"tenant,omitempty"`
		UserType string       `json:"user_type,omitempty"`
		Factors  []factorLine `json:"factors"`
		NotMoved []string     `json:"not_moved,omitempty"`
	}
	factorLine struct {
		Kind   string            `json:"kind"`
		Name   string            `json:"name,omitempty"`
		Params map[string]string `json:"params"`
	}
	lastLine struct {
		End        string `json:"end"`
		Users      int    `json:"users"`
		Unreadable int    `json:"unreadable,omitempty"`
		Next       string `json:"next,omitempty"`
	}
)

// Write writes the factors of all users, secrets in full, with [mfa.Admin.Export]; who may do that
// stands there. It needs no more memory for a million users than for a page of them.
//
// After an error of the store, and if ctx was cancelled, what was written is a whole file with a
// part of the users: its last line has the cursor, and another Write with that cursor writes the
// other part. After an error of w the file is cut off, and importing.JSONLines says so.
func Write(ctx context.Context, a mfa.Admin, w io.Writer, o Options) (Done, error) {
	cursor, err := base64.RawURLEncoding.DecodeString(o.Cursor)
	done := Done{Cursor: o.Cursor}
	if err != nil {
		return done, fmt.Errorf("exporting: the cursor is none: %w", err)
	}
	out := &writer{to: bufio.NewWriter(w)}
	out.lines = json.NewEncoder(out.to)
	out.lines.SetEscapeHTML(false)
	var walk error
	for page, err := range a.Export(ctx, string(cursor)) {
		if err != nil {
			walk = err
			break
		}
		if err := out.page(page, &done); err != nil {
			return done, err
		}
		done.Cursor = base64.RawURLEncoding.EncodeToString([]byte(page.Cursor))
		if o.Page != nil {
			o.Page(done)
		}
	}
	if walk != nil && !out.begun {
		return done, walk // nothing was written
	}
	if err := out.end(done); err != nil {
		return done, err
	}
	return done, walk
}

// writer writes lines.
type writer struct {
	to    *bufio.Writer
	lines *json.Encoder
	begun bool
}

// begin writes the first line.
func (w *writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.lines.Encode(firstLine{format, time.Now().UTC().Truncate(time.Second)})
}

// page writes the users of a page, and counts them.
func (w *writer) page(page report.Export, done *Done) error {
	if err := w.begin(); err != nil {
		return err
	}
	for _, u := range page.Users {
		line := userLine{ID: u.ID, Tenant: u.Tenant, UserType: u.UserType,
			Factors: []factorLine{}, NotMoved: u.NotMoved}
		for _, f := range u.Factors {
			params := make(map[string]string, len(f.Params))
			for name, value := range f.Params {
				params[name] = value.Reveal()
			}
			line.Factors = append(line.Factors, factorLine{f.Kind, f.Name, params})
		}
		if err := w.lines.Encode(line); err != nil {
			return err
		}
		done.Users++
		done.Factors += len(u.Factors)
		done.Left += len(u.NotMoved)
	}
	done.Unread = page.Unreadable
	done.Unreadable += len(page.Unreadable)
	return w.to.Flush()
}

// end writes the last line.
func (w *writer) end(done Done) error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.lines.Encode(lastLine{format, done.Users, done.Unreadable,
		done.Cursor}); err != nil {
		return err
	}
	return w.to.Flush()
}
