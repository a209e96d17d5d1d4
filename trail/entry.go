package trail

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
)

// Entry is one entry as it is kept. Its JSON names do not change.
type Entry struct {
	// Seq is 1 for the first entry.
	Seq int64 `json:"seq"`
	// Fact is what happened, as a [Fact].
	Fact json.RawMessage `json:"fact"`
	// Personal is whom it is about and who did it, as a [Personal]. It is empty after an erasure.
	Personal json.RawMessage `json:"personal,omitempty"`
	// PersonalHash is the SHA-256 of what Personal was.
	PersonalHash []byte `json:"personal_hash"`
	// Hash covers everything above, and the Hash of the entry before.
	Hash []byte `json:"hash"`
	// Checkpoint is the signed note over Seq and Hash, for the last entry of a batch.
	Checkpoint string `json:"checkpoint,omitempty"`
	// Subject finds the entries about one user. The chain does not cover it; it follows from
	// Personal, and [Verify] compares them.
	Subject string `json:"subject,omitempty"`
}

// Fact is the part of an entry that names nobody.
type Fact struct {
	Time time.Time `json:"time"`
	// Event is a name of mfa.SlogEvents, or trail.erased or trail.lost.
	Event       string     `json:"event"`
	Kind        string     `json:"kind,omitempty"`
	Purpose     string     `json:"purpose,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	LockedUntil *time.Time `json:"locked_until,omitempty"`
	// HeldUntil and ExceptionEnds are those of mfa.Event.
	HeldUntil     *time.Time `json:"held_until,omitempty"`
	ExceptionEnds *time.Time `json:"exception_ends,omitempty"`
	// Erased are the first and the last number of each run of entries of which trail.erased
	// removed the personal parts.
	Erased [][2]int64 `json:"erased,omitempty"`
	// Lost is how many events could not be kept before trail.lost, because the log failed.
	Lost int `json:"lost,omitempty"`
}

// Personal is the part of an entry that can be erased.
type Personal struct {
	// Salt is random, so that the hash of this part discloses nothing after it was erased.
	Salt     []byte `json:"salt"`
	User     string `json:"user,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	UserType string `json:"user_type,omitempty"`
	FactorID string `json:"factor_id,omitempty"`
	// Write is the number of the write of the user's record, as mfa.Event has it. It is in this
	// part because numbers in a row would show which erased entries are about one user.
	Write int64 `json:"write,omitempty"`
	// Actor and Note say who acted, and why, for an administrator's act.
	Actor string `json:"actor,omitempty"`
	Note  string `json:"note,omitempty"`
	// Approver is who approved an exception from the second factor.
	Approver string `json:"approver,omitempty"`
	Client
}

// Client is from where a request comes, as the application knows it. Each text is cut at 512 bytes,
// because a client chooses what is in the header User-Agent.
type Client struct {
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"`
}

// saltLen makes guesses at a personal part hopeless.
const saltLen = 16

// Bounds of the texts of an entry, in bytes. JSON makes each byte six at most, and the whole is
// shorter than the longest line of a File, which would otherwise keep no later entry either.
const (
	maxClient = 512
	maxText   = 4096
)

// clip makes texts valid UTF-8, which JSON keeps as it is, and cuts what is longer than max before
// the character that does not fit.
func clip(max int, texts ...*string) {
	for _, text := range texts {
		*text = strings.ToValidUTF8(*text, "\ufffd")
		if len(*text) > max {
			end := max
			for !utf8.RuneStart((*text)[end]) {
				end--
			}
			*text = (*text)[:end]
		}
	}
}

// newEntry returns an entry without its place in the chain.
func newEntry(f Fact, p Personal) (Entry, error) {
	clip(maxText, &f.Event, &f.Kind, &f.Purpose, &f.Reason, &p.User, &p.Tenant, &p.UserType,
		&p.FactorID, &p.Actor, &p.Note, &p.Approver)
	clip(maxClient, &p.Address, &p.Agent)
	p.Salt = make([]byte, saltLen)
	_, _ = rand.Read(p.Salt)
	fact, err := json.Marshal(f)
	if err != nil {
		return Entry{}, fmt.Errorf("trail: %w", err)
	}
	personal, _ := json.Marshal(p) // which has texts and numbers alone
	hash := sha256.Sum256(personal)
	return Entry{Fact: fact, Personal: personal, PersonalHash: hash[:],
		Subject: subject(p.User, mfa.User{Tenant: p.Tenant})}, nil
}

// entryOf returns the entry for an event.
func entryOf(ctx context.Context, e mfa.Event, client func(context.Context) Client) (Entry, error) {
	f := Fact{Time: e.Time.UTC(), Event: e.Name, Kind: e.Kind, Purpose: e.Purpose, Reason: e.Reason,
		LockedUntil: known(e.LockedUntil), HeldUntil: known(e.HeldUntil),
		ExceptionEnds: known(e.ExceptionEnds)}
	p := Personal{User: e.UserID, Tenant: e.Tenant, UserType: e.UserType, FactorID: e.FactorID,
		Write: e.Write, Actor: e.Actor, Note: e.Note, Approver: e.Approver}
	if client != nil {
		p.Client = client(ctx)
	}
	return newEntry(f, p)
}

// known returns a time, or nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// subject is a hash, so that an erased entry does not name its user by it. It is empty for an
// entry about no user.
func subject(id string, in mfa.User) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("secondgate/1 trail subject\x00" + in.Tenant + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// isAbout reports whether the personal part of an entry is what it was when it was written, and
// names a user. The subject alone says nothing: an attacker who can write to the log chooses it.
func (e *Entry) isAbout(user mfa.User) bool {
	_, p, err := e.Read()
	hash := sha256.Sum256(e.Personal)
	return err == nil && bytes.Equal(hash[:], e.PersonalHash) && p.User == user.ID &&
		p.Tenant == user.Tenant
}

// chain returns the hash of an entry that follows one with the hash before.
func (e *Entry) chain(before []byte) []byte {
	h := sha256.New()
	fact := sha256.Sum256(e.Fact)
	h.Write([]byte("secondgate/1 trail entry\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	h.Write(append(append(bytes.Clone(before), fact[:]...), e.PersonalHash...))
	return h.Sum(nil)
}

// genesis is the hash before the first entry.
func genesis() []byte { return make([]byte, sha256.Size) }

// Read returns what the entry says. The Personal is zero after an erasure. Where a part is not what
// the trail writes, the error is a *BrokenError.
func (e *Entry) Read() (f Fact, p Personal, err error) {
	if err = json.Unmarshal(e.Fact, &f); err == nil && len(e.Personal) > 0 {
		err = json.Unmarshal(e.Personal, &p)
	}
	if err != nil {
		return Fact{}, Personal{}, &BrokenError{e.Seq, err.Error()}
	}
	return f, p, nil
}
