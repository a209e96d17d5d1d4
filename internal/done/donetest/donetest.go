// Package donetest has a context for tests of what package done is for.
package donetest

import (
	"context"
	"time"
)

// Unnoticed returns ctx with a deadline that is past and that it has not noticed: a socket that is
// given the deadline notices it at once.
func Unnoticed(ctx context.Context) context.Context { return unnoticed{ctx} }

type unnoticed struct{ context.Context }

func (unnoticed) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }
