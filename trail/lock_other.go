//go:build !unix || solaris || illumos || aix

package trail

import (
	"errors"
	"os"
)

func lockFile(*os.File) error { return errors.ErrUnsupported }

func giveTo(_, _ *os.File) error { return errors.ErrUnsupported }
