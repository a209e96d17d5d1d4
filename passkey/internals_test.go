package passkey

import "github.com/go-webauthn/webauthn/protocol"

// ReadPlain is readPlain for the tests.
func ReadPlain(response string) (*protocol.ParsedCredentialAssertionData, bool) {
	return readPlain(response)
}

// PlainClientData is plainClientData for the tests.
func PlainClientData(clientData string) bool { return plainClientData([]byte(clientData)) }

// ReadAny is readAny for the tests, of assertions alone.
func ReadAny(response string) (*protocol.ParsedCredentialAssertionData, bool) {
	got, err := readAny(response)
	return got.asserted, err == nil && got.asserted != nil
}
