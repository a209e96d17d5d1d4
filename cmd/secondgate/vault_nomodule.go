//go:build !cgo

package main

import "errors"

// openModule refuses: a program without cgo loads no library.
func openModule(moduleKey) (openedVault, error) {
	return openedVault{}, errors.New("this program was built without cgo, which a hardware " +
		"security module needs: build it with CGO_ENABLED=1")
}
