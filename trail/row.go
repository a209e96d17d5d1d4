package trail

import (
	"encoding/base64"
	"errors"
)

// row is an entry as text, which every database keeps byte for byte. Its JSON names are those of
// the columns.
type row struct {
	Seq          int64  `json:"seq"`
	Fact         string `json:"fact"`
	Personal     string `json:"personal"`
	PersonalHash string `json:"personal_hash"`
	Hash         string `json:"hash"`
	Checkpoint   string `json:"checkpoint"`
	Subject      string `json:"subject"`
}

func rowOf(e *Entry) row {
	return row{Seq: e.Seq, Fact: string(e.Fact), Personal: string(e.Personal),
		PersonalHash: base64.StdEncoding.EncodeToString(e.PersonalHash),
		Hash:         base64.StdEncoding.EncodeToString(e.Hash),
		Checkpoint:   e.Checkpoint, Subject: e.Subject}
}

// values returns the columns in their order.
func (r row) values() []any {
	return []any{r.Seq, r.Fact, r.Personal, r.PersonalHash, r.Hash, r.Checkpoint, r.Subject}
}

func (r *row) entry() (Entry, error) {
	personalHash, err := base64.StdEncoding.DecodeString(r.PersonalHash)
	hash, hashErr := base64.StdEncoding.DecodeString(r.Hash)
	if err = errors.Join(err, hashErr); err != nil {
		return Entry{}, &BrokenError{r.Seq, err.Error()}
	}
	return Entry{Seq: r.Seq, Fact: []byte(r.Fact), Personal: []byte(r.Personal),
		PersonalHash: personalHash, Hash: hash, Checkpoint: r.Checkpoint, Subject: r.Subject}, nil
}
