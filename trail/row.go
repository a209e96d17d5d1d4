package trail

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// row is an entry as text, which every database keeps byte for byte.
type row struct {
	seq                                int64
	fact, personal, personalHash, hash string
	checkpoint, subject                string
}

func rowOf(e *Entry) row {
	return row{seq: e.Seq, fact: string(e.Fact), personal: string(e.Personal),
		personalHash: base64.StdEncoding.EncodeToString(e.PersonalHash),
		hash:         base64.StdEncoding.EncodeToString(e.Hash),
		checkpoint:   e.Checkpoint, subject: e.Subject}
}

func (r *row) entry() (Entry, error) {
	personalHash, err := base64.StdEncoding.DecodeString(r.personalHash)
	hash, hashErr := base64.StdEncoding.DecodeString(r.hash)
	if err = errors.Join(err, hashErr); err != nil {
		return Entry{}, fmt.Errorf("trail: entry %d: %w", r.seq, err)
	}
	return Entry{Seq: r.seq, Fact: []byte(r.fact), Personal: []byte(r.personal),
		PersonalHash: personalHash, Hash: hash, Checkpoint: r.checkpoint, Subject: r.subject}, nil
}
