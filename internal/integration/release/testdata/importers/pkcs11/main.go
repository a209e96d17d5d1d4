package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/pkcs11"
	"github.com/secondgate/secondgate/seal/envelope"
)

func main() {
	var vault envelope.Vault = (*pkcs11.Module)(nil)
	_, err := pkcs11.Open(pkcs11.Config{Library: "/nonexistent.so"})
	if err == nil || vault == nil {
		log.Fatal("a library that is not there was loaded")
	}
	fmt.Println("ok")
}
