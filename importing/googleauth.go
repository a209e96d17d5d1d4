package importing

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// GoogleAuthenticator reads what is in a QR code of the app's "Transfer accounts": a URI that
// begins with otpauth-migration. The ID and the account of a user are the account's name in the
// app, without the issuer. An account with codes that are counted gives an error.
//
// The app shows several QR codes for more than ten accounts. Their URIs may follow each other, with
// spaces or line ends between them.
func GoogleAuthenticator(uri string) Users {
	return func(yield func(User, error) bool) {
		codes := strings.Fields(strings.TrimPrefix(uri, byteOrderMark))
		if len(codes) == 0 {
			codes = []string{""}
		}
		for _, code := range codes {
			if !migrate(code, yield) {
				return
			}
		}
	}
}

// migrate yields the accounts of one URI. An error of the URI itself ends it, and so it returns
// false, as it does if the caller wants no more.
func migrate(uri string, yield func(User, error) bool) bool {
	payload, err := migrationPayload(uri)
	if err != nil {
		yield(User{}, err)
		return false
	}
	for len(payload) > 0 {
		f, rest, err := protoField(payload)
		if err != nil {
			yield(User{}, err)
			return false
		}
		payload = rest
		if f.number != 1 {
			continue
		}
		if u, err := migrated(f.bytes); !yield(u, err) {
			return false
		}
	}
	return true
}

func migrationPayload(uri string) ([]byte, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "otpauth-migration" {
		return nil, fmt.Errorf("%w: it is no otpauth-migration URI", errExport)
	}
	// A plus sign that nobody has escaped is a space by now.
	data := strings.ReplaceAll(u.Query().Get("data"), " ", "+")
	payload, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, errProto
	}
	return payload, nil
}

// migrated reads the message OtpParameters: 1 secret, 2 name, 3 issuer, 4 algorithm, 5 digits,
// 6 type.
func migrated(message []byte) (User, error) {
	var text [4]string
	number := [7]uint64{4: 1, 5: 1, 6: 2}
	for len(message) > 0 {
		f, rest, err := protoField(message)
		if err != nil {
			return User{}, err
		}
		message = rest
		switch {
		case f.number >= 1 && f.number <= 3:
			text[f.number] = string(f.bytes)
		case f.number >= 4 && f.number <= 6 && f.varint != 0:
			number[f.number] = f.varint
		}
	}
	name := text[2]
	if _, account, ok := strings.Cut(name, ":"); ok {
		name = strings.TrimSpace(account)
	}
	u := User{User: mfa.User{ID: name, Account: name}}
	algorithm := map[uint64]string{1: "SHA1", 2: "SHA256", 3: "SHA512"}[number[4]]
	digits := map[uint64]string{1: "6", 2: "8"}[number[5]]
	if number[6] != 2 || algorithm == "" || digits == "" {
		return u, fmt.Errorf("%w: the account %q has no time-based codes, or unknown ones",
			errExport, name)
	}
	u.Factors = []mfa.EnrollRequest{{Kind: "totp", Params: texts(map[string]string{
		"secret": base32Of([]byte(text[1])), "algorithm": algorithm, "digits": digits})}}
	return u, nil
}

// protoValue is one field of a message in the encoding of protocol buffers.
type protoValue struct {
	number uint64
	varint uint64
	bytes  []byte
}

var errProto = errors.New("importing: the QR code's data are damaged")

// protoField reads the first field of a message: a number or a string of bytes.
func protoField(message []byte) (f protoValue, rest []byte, err error) {
	tag, n := binary.Uvarint(message)
	if n <= 0 {
		return f, nil, errProto
	}
	value, m := binary.Uvarint(message[n:])
	if m <= 0 {
		return f, nil, errProto
	}
	rest = message[n+m:]
	switch f.number = tag >> 3; tag & 7 {
	case 0:
		f.varint = value
	case 2:
		if value > uint64(len(rest)) {
			return f, nil, errProto
		}
		f.bytes, rest = rest[:value], rest[value:]
	default:
		return f, nil, errProto
	}
	return f, rest, nil
}
