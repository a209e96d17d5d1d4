package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/storage"
)

var (
	_ storage.Store  = (*Store)(nil)
	_ storage.Lister = (*Store)(nil)
)

// Store is a [storage.Store] and a [storage.Lister] in a table of DynamoDB. Make one with [New]; it
// is safe for concurrent use. Errors begin with "dynamostore:" and wrap the client's.
type Store struct {
	client *dynamodb.Client
	table  *string
}

// item is an item of DynamoDB. A record has three attributes: k is its key, r its revision, and d
// its data.
type item = map[string]types.AttributeValue

// Get implements [storage.Store] with a strongly consistent read.
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, "get", storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	reply, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.table,
		Key: item{"k": binary(key)}, ConsistentRead: aws.Bool(true)})
	if err != nil || len(reply.Item) == 0 {
		return storage.Record{}, cmp.Or(failed(ctx, "get", err), storage.ErrNotFound)
	}
	entry, err := entryOf(reply.Item)
	return entry.Record, failed(ctx, "get", err)
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, "swap", storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	put := &dynamodb.PutItemInput{TableName: s.table, Item: item{"k": binary(key),
		"r": binary(next.Revision), "d": &types.AttributeValueMemberB{Value: next.Data}}}
	put.ConditionExpression, put.ExpressionAttributeValues = has(old)
	_, err := s.client.PutItem(ctx, put, once)
	return failed(ctx, "swap", err)
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, "delete", storage.CheckDelete(key, old)); err != nil {
		return err
	}
	del := &dynamodb.DeleteItemInput{TableName: s.table, Key: item{"k": binary(key)}}
	del.ConditionExpression, del.ExpressionAttributeValues = has(old)
	_, err := s.client.DeleteItem(ctx, del, once)
	return failed(ctx, "delete", err)
}

// List implements [storage.Lister] with a scan of the whole table, in the order of hashes. A limit
// below one is an error that wraps [storage.ErrInvalid]. The cursor is the last key of the page
// before.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	scan := &dynamodb.ScanInput{TableName: s.table, ConsistentRead: aws.Bool(true),
		Limit: aws.Int32(int32(min(max(limit, 1), 1000)))} //nolint:gosec // at most 1000
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	} else if cursor != "" {
		scan.ExclusiveStartKey, err = item{"k": binary(cursor)}, storage.CheckKey(string(cursor))
	}
	if err := begin(ctx, "list", err); err != nil {
		return nil, "", err
	}
	reply, err := s.client.Scan(ctx, scan)
	if err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	for _, found := range reply.Items {
		entry, err := entryOf(found)
		if err != nil {
			return nil, "", failed(ctx, "list", err)
		}
		if strings.HasPrefix(entry.Key, prefix) {
			page = append(page, entry)
		}
	}
	return page, storage.Cursor(bytesOf(reply.LastEvaluatedKey["k"])), nil
}

// has is the condition that the record has the revision r, or is not there.
func has(r storage.Revision) (*string, item) {
	if r == "" {
		return aws.String("attribute_not_exists(k)"), nil
	}
	return aws.String("r = :r"), item{":r": binary(r)}
}

// once keeps the client from sending a write again: what finds its own write done is no conflict.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

func binary[T ~string](s T) types.AttributeValue {
	return &types.AttributeValueMemberB{Value: []byte(s)}
}

func bytesOf(v types.AttributeValue) []byte {
	if b, ok := v.(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}

func entryOf(found item) (storage.Entry, error) {
	key, revision, data := bytesOf(found["k"]), bytesOf(found["r"]), bytesOf(found["d"])
	if len(key) == 0 || len(revision) == 0 || len(data) == 0 {
		// Not a missing record: that would read as "this user has no second factor".
		return storage.Entry{}, errors.New("the table has an item that is foreign to it")
	}
	return storage.Entry{Key: string(key),
		Record: storage.Record{Revision: storage.Revision(revision), Data: data}}, nil
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, op string, invalid error) error {
	return failed(ctx, op, cmp.Or(ctx.Err(), invalid))
}

// failed wraps an error that is no conflict. The client's words for a context that is done differ.
func failed(ctx context.Context, op string, err error) error {
	var conflict *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &conflict):
		return storage.ErrConflict
	}
	return fmt.Errorf("dynamostore: %s: %w", op, done.With(ctx, err))
}
