package natsstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/internal/keyed"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/internal/value"
)

// Store is a [storage.Store] and a [storage.Lister] in a stream of NATS JetStream. Make one with
// [New]; it is safe for concurrent use. Errors begin with "natsstore:" and wrap the client's.
type Store struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	// Subjects of the stream: records has one for each key, and reads of what confirms reads.
	records, reads string
	// turns are for the calls about one key, which would refuse each other at the server.
	turns keyed.Mutex
	// latest is the greatest sequence number that the stream has given, and lost whether it has
	// given one twice.
	latest atomic.Uint64
	lost   atomic.Bool
}

// errLost is no storage.ErrNotFound: a record that is lost is no user without a second factor.
var errLost = errors.New("the stream gave a sequence number twice, so it was replaced or has lost " +
	"records: restore them, and open the store again")

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	turn, err := s.begin(ctx, "get", key, storage.CheckKey(key))
	if err != nil {
		return storage.Record{}, err
	}
	defer turn.Unlock()
	m, err := s.confirmed(ctx, key)
	switch {
	case err != nil:
		return storage.Record{}, failed(ctx, "get", err)
	case m.Revision == "":
		return storage.Record{}, storage.ErrNotFound
	}
	return m.Record, nil
}

// confirmed returns the last message of a key. A server that no longer leads does not know at once,
// and replies with what it has. So a message that is accepted only if the record is the latest one,
// which takes a majority, confirms each read.
func (s *Store) confirmed(ctx context.Context, key string) (message, error) {
	for {
		m, err := s.last(ctx, key)
		if err == nil {
			err = s.publish(ctx, &nats.Msg{Subject: s.reads}, m.at, s.subject(key))
		}
		if !errors.Is(err, storage.ErrConflict) {
			return m, err
		}
		if err := pause(ctx); err != nil {
			return message{}, err
		}
	}
}

// pause lets another call change the record, or confirm a read of it.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(mathrand.Int64N(int64(4 * time.Millisecond)))):
		return nil
	}
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.write(ctx, "swap", storage.CheckSwap(key, old, next), key, old,
		[]byte(value.Of(next)))
}

// Delete implements [storage.Store]. An empty message remains.
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.write(ctx, "delete", storage.CheckDelete(key, old), key, old, nil)
}

// write makes a change if the record has the revision old. A server that no longer leads may refuse
// a message, by what it has, while the one that leads accepts it, and the client hears the first
// reply. So after a refusal a confirmed read says whether the message is the last one.
func (s *Store) write(
	ctx context.Context, op string, invalid error, key string, old storage.Revision, data []byte,
) error {
	turn, err := s.begin(ctx, op, key, invalid)
	if err != nil {
		return err
	}
	defer turn.Unlock()
	present, err := s.last(ctx, key)
	if err == nil && present.Revision != old {
		err = storage.ErrConflict
	} else if err == nil {
		id := rand.Text()
		err = s.publish(ctx, &nats.Msg{Subject: s.subject(key), Data: data,
			Header: nats.Header{writeHeader: {id}}}, present.at, s.subject(key))
		if errors.Is(err, storage.ErrConflict) {
			present, err = s.confirmed(ctx, key)
			if err == nil && present.write != id {
				err = storage.ErrConflict
			}
		}
	}
	return failed(ctx, op, err)
}

// writeHeader is the header that says which call wrote a message.
const writeHeader = "Secondgate-Write"

// message is what the server has under a key: the record, or the zero value, its sequence number,
// and which call wrote it.
type message struct {
	storage.Record
	at    uint64
	write string
}

func (s *Store) last(ctx context.Context, key string) (message, error) {
	msg, err := s.stream.GetLastMsgForSubject(ctx, s.subject(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return message{}, nil
	} else if err != nil {
		return message{}, err
	}
	rec, err := record(msg.Data)
	return message{rec, msg.Sequence, msg.Header.Get(writeHeader)}, err
}

// publish publishes a message if the last one of a subject has the sequence number at.
func (s *Store) publish(ctx context.Context, m *nats.Msg, at uint64, of string) error {
	_, err := s.send(ctx, m, jetstream.WithExpectLastSequenceForSubject(at, of))
	var refused *jetstream.APIError
	if errors.As(err, &refused) &&
		(refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
			refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return storage.ErrConflict
	}
	return err
}

// send publishes a message and returns its sequence number. The number is greater than all that
// the stream gave before the call. If it is not, the Store refuses this call and all later ones.
func (s *Store) send(
	ctx context.Context, m *nats.Msg, options ...jetstream.PublishOpt,
) (uint64, error) {
	before := s.latest.Load()
	ack, err := s.js.PublishMsg(ctx, m, options...)
	if err != nil {
		return 0, err
	}
	for now := before; ack.Sequence > now && !s.latest.CompareAndSwap(now, ack.Sequence); {
		now = s.latest.Load()
	}
	if ack.Sequence <= before {
		s.lost.Store(true)
		return 0, errLost
	}
	return ack.Sequence, nil
}

// List implements [storage.Lister] in the order of the last writes. A limit below one is an error
// that wraps [storage.ErrInvalid]. The cursor has two sequence numbers: where the walk goes on, and
// the last one when it began.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	var from, end uint64
	if _, odd := fmt.Sscanf(string(cursor), "%d-%d", &from, &end); odd != nil && cursor != "" {
		err = fmt.Errorf("%w: not a cursor of this store", storage.ErrInvalid)
	}
	if err := s.check(ctx, err); err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	if cursor == "" {
		from = 1
		if end, err = s.send(ctx, &nats.Msg{Subject: s.reads}); err != nil {
			return nil, "", failed(ctx, "list", err)
		}
	}
	for ; from < end; from++ {
		if len(page) == limit {
			return page, storage.Cursor(fmt.Sprintf("%d-%d", from, end)), nil
		}
		// The message of the last read is there, so a server that finds none is behind.
		msg, err := s.stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(s.all()))
		if err != nil {
			return nil, "", failed(ctx, "list", err)
		}
		from = msg.Sequence
		rec, err := record(msg.Data)
		key, isRecord := s.key(msg.Subject)
		if err != nil {
			return nil, "", failed(ctx, "list", err)
		}
		if isRecord && from < end && rec.Revision != "" && strings.HasPrefix(key, prefix) {
			page = append(page, storage.Entry{Key: key, Record: rec})
		}
	}
	return page, "", nil
}

func (s *Store) all() string { return strings.TrimSuffix(s.reads, "reads") + ">" }

func (s *Store) subject(key string) string { return s.records + hex.EncodeToString([]byte(key)) }

func (s *Store) key(subject string) (string, bool) {
	text, ok := strings.CutPrefix(subject, s.records)
	key, err := hex.DecodeString(text)
	return string(key), ok && err == nil
}

// record returns the record of a message, or the zero value for one of a record that was deleted.
func record(data []byte) (storage.Record, error) {
	if len(data) == 0 {
		return storage.Record{}, nil
	}
	rec, err := value.Record(data)
	if err != nil {
		err = fmt.Errorf("a message of the stream: %w", err)
	}
	return rec, err
}

// check prefers the context's error: an operation that was cancelled is not checked further.
func (s *Store) check(ctx context.Context, invalid error) error {
	if err := cmp.Or(ctx.Err(), invalid); err != nil {
		return err
	}
	if s.lost.Load() {
		return errLost
	}
	return nil
}

// begin takes a turn.
func (s *Store) begin(
	ctx context.Context, op, key string, invalid error,
) (turn keyed.Held, err error) {
	if err = s.check(ctx, invalid); err == nil {
		turn, err = s.turns.Lock(ctx, key)
	}
	return turn, failed(ctx, op, err)
}

// failed wraps an error that is no conflict. The client's words for a context that is done differ.
func failed(ctx context.Context, op string, err error) error {
	if err == nil || errors.Is(err, storage.ErrConflict) {
		return err
	}
	return fmt.Errorf("natsstore: %s: %w", op, done.With(ctx, err))
}
