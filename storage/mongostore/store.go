package mongostore

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/storage"
)

var (
	_ storage.Store  = (*Store)(nil)
	_ storage.Lister = (*Store)(nil)
)

// Store is a [storage.Store] and a [storage.Lister] in a collection of MongoDB. Make one with
// [New]; it is safe for concurrent use. Errors begin with "mongostore:" and wrap the client's.
type Store struct{ records *mongo.Collection }

// document is a record. Its ID is the key in hexadecimal digits, whose order is that of the bytes.
type document struct {
	ID       string `bson:"_id"`
	Revision []byte `bson:"r"`
	Data     []byte `bson:"d"`
}

// New returns a Store in a collection, with the read and write concerns that it needs. New asks
// nothing of the servers, and the Store does not disconnect the client.
func New(records *mongo.Collection) *Store {
	journal := true
	return &Store{records: records.Clone(options.Collection().
		SetReadPreference(readpref.Primary()).SetReadConcern(readconcern.Linearizable()).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}))}
}

// Get implements [storage.Store]. The read is linearizable: a majority confirms that the server
// still is the primary.
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, "get", storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	var found document
	err := s.records.FindOne(ctx, bson.M{"_id": id(key)}).Decode(&found)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return storage.Record{}, storage.ErrNotFound
	}
	entry, err := entryOf(found, err)
	return entry.Record, failed(ctx, "get", err)
}

// Swap implements [storage.Store]. Without an old revision it inserts, and the index of _id refuses
// a second document.
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, "swap", storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	doc := document{ID: id(key), Revision: []byte(next.Revision), Data: next.Data}
	if old == "" {
		_, err := s.records.InsertOne(ctx, doc)
		if mongo.IsDuplicateKeyError(err) {
			return storage.ErrConflict
		}
		return failed(ctx, "swap", err)
	}
	reply, err := s.records.ReplaceOne(ctx, has(key, old), doc)
	if err == nil && reply.MatchedCount == 0 {
		return storage.ErrConflict
	}
	return failed(ctx, "swap", err)
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, "delete", storage.CheckDelete(key, old)); err != nil {
		return err
	}
	reply, err := s.records.DeleteOne(ctx, has(key, old))
	if err == nil && reply.DeletedCount == 0 {
		return storage.ErrConflict
	}
	return failed(ctx, "delete", err)
}

// List implements [storage.Lister] in the order of keys. A limit below one is an error that wraps
// [storage.ErrInvalid]. The cursor is the last key of the page before.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	if err := begin(ctx, "list", err); err != nil {
		return nil, "", err
	}
	from, end := id(prefix), id(prefix)+"g" // which follows the digit f
	if cursor != "" {
		from = max(from, id(string(cursor))+"0")
	}
	found, err := s.records.Find(ctx, bson.M{"_id": bson.M{"$gte": from, "$lt": end}},
		options.Find().SetSort(bson.M{"_id": 1}).SetLimit(int64(limit)).
			SetBatchSize(int32(min(limit, math.MaxInt32)))) //nolint:gosec // it fits
	if err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	defer func() { _ = found.Close(ctx) }()
	// Only what came with the first reply, which alone is linearizable.
	for more := found.ID() != 0; found.RemainingBatchLength() > 0 && found.Next(ctx); {
		var doc document
		err := found.Decode(&doc)
		entry, err := entryOf(doc, err)
		if err != nil {
			return nil, "", failed(ctx, "list", err)
		}
		page = append(page, entry)
		if more || len(page) == limit {
			next = storage.Cursor(entry.Key)
		}
	}
	return page, next, failed(ctx, "list", found.Err())
}

// has matches the record under key if its revision is r.
func has(key string, r storage.Revision) bson.M { return bson.M{"_id": id(key), "r": []byte(r)} }

func id(key string) string { return hex.EncodeToString([]byte(key)) }

func entryOf(doc document, err error) (storage.Entry, error) {
	key, odd := hex.DecodeString(doc.ID)
	if err == nil && (odd != nil || len(key) == 0 || len(doc.Revision) == 0 || len(doc.Data) == 0) {
		// Not a missing record: that would read as "this user has no second factor".
		err = errors.New("the collection has a document that is foreign to it")
	}
	if err != nil {
		return storage.Entry{}, err
	}
	return storage.Entry{Key: string(key), Record: storage.Record{
		Revision: storage.Revision(doc.Revision), Data: doc.Data}}, nil
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, op string, invalid error) error {
	return failed(ctx, op, cmp.Or(ctx.Err(), invalid))
}

// failed wraps an error. A server is given the deadline of the context, may notice before the
// context that it is past, and says so in words of its own.
func failed(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if _, bounded := ctx.Deadline(); bounded && mongo.IsTimeout(err) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return fmt.Errorf("mongostore: %s: %w", op, done.With(ctx, err))
}
