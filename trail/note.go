package trail

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// This file is the signed note of C2SP (github.com/C2SP/C2SP/blob/main/signed-note.md) with a
// checkpoint as its text: the origin, the number of entries and the hash of the last, each on a
// line.

var errNote = errors.New("it is not a checkpoint of this trail's key")

// algorithmEd25519 is the signed note's number for Ed25519.
const algorithmEd25519 = 1

// keyID is the hash by which a signature names its key.
func keyID(origin string, key ed25519.PublicKey) []byte {
	h := sha256.New()
	h.Write([]byte(origin + "\n"))
	h.Write(append([]byte{algorithmEd25519}, key...))
	return h.Sum(nil)[:4]
}

func checkpointText(origin string, seq int64, hash []byte) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, seq, base64.StdEncoding.EncodeToString(hash))
}

// signCheckpoint returns the checkpoint of a trail that ends with an entry.
func signCheckpoint(key ed25519.PrivateKey, origin string, e *Entry) string {
	text := checkpointText(origin, e.Seq, e.Hash)
	signature := append(keyID(origin, key.Public().(ed25519.PublicKey)),
		ed25519.Sign(key, []byte(text))...)
	return text + "\n— " + origin + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
}

// openCheckpoint returns what a checkpoint says, if the key signed it.
func openCheckpoint(
	key ed25519.PublicKey, origin, note string,
) (seq int64, hash []byte, err error) {
	text, signatures, ok := strings.Cut(note, "\n\n")
	text += "\n"
	lines := strings.Split(text, "\n")
	if !ok || len(lines) != 4 || lines[0] != origin ||
		!signedBy(key, origin, text, signatures) {
		return 0, nil, errNote
	}
	seq, seqErr := strconv.ParseInt(lines[1], 10, 64)
	hash, hashErr := base64.StdEncoding.DecodeString(lines[2])
	if seqErr != nil || hashErr != nil {
		return 0, nil, errNote
	}
	return seq, hash, nil
}

// signedBy reports whether one of the signatures is the key's. Others, such as a witness's, may
// be beside it.
func signedBy(key ed25519.PublicKey, origin, text, signatures string) bool {
	for line := range strings.Lines(signatures) {
		encoded, ours := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— "+origin+" ")
		if !ours {
			continue
		}
		signature, err := base64.StdEncoding.DecodeString(encoded)
		if err == nil && len(signature) == 4+ed25519.SignatureSize &&
			bytes.Equal(signature[:4], keyID(origin, key)) &&
			ed25519.Verify(key, []byte(text), signature[4:]) {
			return true
		}
	}
	return false
}

// checks reports whether an entry has the checkpoint of itself.
func checks(key ed25519.PublicKey, origin string, e *Entry) bool {
	seq, hash, err := openCheckpoint(key, origin, e.Checkpoint)
	return err == nil && seq == e.Seq && subtle.ConstantTimeCompare(hash, e.Hash) == 1
}
