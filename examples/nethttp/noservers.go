//go:build !databases

package main

import (
	"context"
	"errors"
)

// openServer returns an error that names the build with the drivers of database servers.
func openServer(context.Context, string, string) (records, func() error, error) {
	return nil, nil, errors.New("this build has SQLite only; " +
		"the drivers of database servers come with: go run -tags databases ./examples/nethttp " +
		"-db URL")
}
