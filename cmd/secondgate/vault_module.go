//go:build cgo

package main

import "github.com/secondgate/secondgate/pkcs11"

// openModule opens a hardware security module.
func openModule(k moduleKey) (openedVault, error) {
	module, err := pkcs11.Open(pkcs11.Config{Library: k.library, Token: k.token, Key: k.label,
		PIN: k.pin})
	if err != nil {
		return openedVault{}, err
	}
	return openedVault{module, module.Close}, nil
}
