package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"
)

// sealOptions say with what a file is decrypted.
type sealOptions struct{ identity, passphrase string }

func (o *sealOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.identity, "identity", "",
		"file with the identity that a file of move-out was encrypted for, as age-keygen makes it")
	f.StringVar(&o.passphrase, "passphrase", "",
		"file with the passphrase that a file of move-out was encrypted with")
}

// sealedPrefix begins a file that is encrypted (age-encryption.org/v1).
const sealedPrefix = "age-encryption.org/"

// open returns what a file says, decrypted if it is encrypted. No byte is returned that was
// altered, and a file that is cut off ends with an error.
func (o *sealOptions) open(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	start, err := in.Peek(len(sealedPrefix))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sealed := string(start) == sealedPrefix
	switch {
	case !sealed && *o == (sealOptions{}):
		return in, nil
	case !sealed:
		return nil, fmt.Errorf("the file is not encrypted, or its beginning is missing; %w",
			errUsage)
	case *o == (sealOptions{}):
		return nil, fmt.Errorf("the file is encrypted, and needs -identity or -passphrase; %w",
			errUsage)
	}
	identities, err := o.identities()
	if err != nil {
		return nil, err
	}
	plain, err := age.Decrypt(in, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errors.New("nothing was imported: the file is encrypted for another " +
			"identity, or with another passphrase")
	}
	if err != nil {
		return nil, fmt.Errorf("nothing was imported: %w", err)
	}
	return plain, nil
}

func (o *sealOptions) identities() (list []age.Identity, err error) {
	if o.identity != "" {
		text, err := readSecret(o.identity)
		if err != nil {
			return nil, err
		}
		if list, err = age.ParseIdentities(bytes.NewReader(text)); err != nil {
			return nil, fmt.Errorf("%s has no identity of age", o.identity)
		}
	}
	if o.passphrase != "" {
		passphrase, err := readPassphrase(o.passphrase)
		if err != nil {
			return nil, err
		}
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return nil, err
		}
		identity.SetMaxWorkFactor(maxWork)
		list = append(list, boundedWork{identity})
	}
	return list, nil
}

// maxWork is the work factor of scrypt that move-out uses, and the greatest that import accepts.
// Its passphrase then takes 256 MB and about a second to try. Each more doubles both, and the file
// says how many.
const maxWork = 18

// boundedWork says what is wrong with a file that asks for more work.
type boundedWork struct{ *age.ScryptIdentity }

// Unwrap implements age.Identity.
func (b boundedWork) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type != "scrypt" || len(s.Args) != 2 {
			continue
		}
		if n, err := strconv.Atoi(s.Args[1]); err != nil || n > maxWork {
			return nil, fmt.Errorf("the file asks for more work than move-out does to try its "+
				"passphrase: encrypt it again with a work factor (scrypt) of %d at most", maxWork)
		}
	}
	return b.ScryptIdentity.Unwrap(stanzas)
}

// minPassphrase is the least that protects a file which an attacker can take away and guess at.
const minPassphrase = 16

// readPassphrase reads a passphrase from the first line of a file.
func readPassphrase(path string) (string, error) {
	text, err := readSecret(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); len(line) < minPassphrase {
		return "", fmt.Errorf("the passphrase in %s has less than %d characters; %w", path,
			minPassphrase, errUsage)
	}
	return line, nil
}
