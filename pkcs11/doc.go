// Package pkcs11 encrypts the keys of a keyring with a key in a hardware security module, for
// package seal/envelope.
//
//	module, err := pkcs11.Open(pkcs11.Config{Library: "/usr/lib/softhsm/libsofthsm2.so",
//		Token: "acme", Key: "secondgate", PIN: secret.New(pin)})
//	keys, err := envelope.Open(ctx, "/etc/acme/secondgate.keys", module)
//
// The key in the module is an AES key of 256 bits that is sensitive and not extractable, made with
// the module's own tools. It encrypts with AES-GCM. The package needs cgo, as every program that
// loads a PKCS#11 library does.
package pkcs11
