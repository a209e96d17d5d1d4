package importing

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
)

// Options configures an import. The zero value is ready to use.
type Options struct {
	// DryRun checks everything and changes nothing.
	DryRun bool
}

// Result is what happened to one user.
type Result struct {
	User mfa.User
	// NotMoved is that of the User: it stays behind whatever happens to the rest.
	NotMoved []string
	// Import is what was done, or would be; nil beside an error.
	Import *report.Import
	// Err is why nothing was done. The other users are imported all the same, unless it ended the
	// reader, in which case User is zero.
	Err error
}

// Outcome returns what happened in a few words, such as "imported totp, recovery" or
// "skipped: enrolled".
func (r Result) Outcome() string {
	if len(r.NotMoved) > 0 {
		return r.moved() + "; not moved: " + strings.Join(r.NotMoved, ", ")
	}
	return r.moved()
}

// errNothing is returned for a user of whom the export has nothing that can be imported.
var errNothing = errors.New("nothing of the user can be moved")

func (r Result) moved() string {
	var p *factor.Problem
	switch {
	case errors.As(r.Err, &p):
		return "failed: " + p.Reason + ": " + p.Detail
	case r.Err != nil:
		return "failed: " + r.Err.Error()
	case r.Import.Skipped != "":
		return "skipped: " + r.Import.Skipped
	case len(r.Import.Renew) > 0:
		return "imported " + strings.Join(r.Import.Kinds, ", ") + "; to be renewed: " +
			strings.Join(r.Import.Renew, ", ")
	}
	return "imported " + strings.Join(r.Import.Kinds, ", ")
}

// Run imports users one after the other, and yields a result for each. It may be run again from the
// start after it was cut off: users who were imported are skipped. To import several at once, call
// Import from several goroutines.
func Run(ctx context.Context, a mfa.Admin, users Users, o Options) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for u, err := range users {
			r := Result{User: u.User, NotMoved: u.NotMoved, Err: err}
			if err == nil {
				r = Import(ctx, a, u, o)
			}
			if !yield(r) {
				return
			}
		}
	}
}

// Import imports one user.
func Import(ctx context.Context, a mfa.Admin, u User, o Options) Result {
	if len(u.Factors) == 0 {
		return Result{User: u.User, NotMoved: u.NotMoved, Err: errNothing}
	}
	run := a.Import
	if o.DryRun {
		run = a.PreviewImport
	}
	done, err := run(ctx, u.User, u.Factors)
	return Result{User: u.User, NotMoved: u.NotMoved, Import: done, Err: err}
}
