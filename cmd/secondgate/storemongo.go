package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/mongostore"
)

var errMongoURL = fmt.Errorf("give the store as "+
	"mongodb://user:password@host:27017,host:27017/database?replicaSet=name, with "+
	"&collection=name where that is not secondgate; %w", errUsage)

// mongoPlace is what the URL of a collection says.
type mongoPlace struct {
	uri                  string // for the client, which knows nothing of collections
	database, collection string
}

// readMongoURL reads the URL of a collection. The client passes over an option that it does not
// know, such as a mistyped tls, so that is refused.
func readMongoURL(where string) (p mongoPlace, err error) {
	before, query, _ := strings.Cut(where, "?")
	var rest []string
	for option := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(option, "=")
		if name != "collection" {
			rest = append(rest, option)
			continue
		}
		if p.collection, err = url.QueryUnescape(value); err != nil || p.collection == "" {
			return p, errMongoURL
		}
	}
	p.uri = before
	if options := strings.Join(rest, "&"); options != "" {
		p.uri += "?" + options
	}
	read, err := connstring.ParseAndValidate(p.uri)
	var unresolved *net.DNSError
	switch {
	case errors.As(err, &unresolved):
		return p, fmt.Errorf("mongodb: %w", unresolved)
	case err != nil || len(read.UnknownOptions) > 0:
		return p, errMongoURL // the client's error may quote a part of the password
	}
	p.database = cmp.Or(read.Database, "secondgate")
	p.collection = cmp.Or(p.collection, "secondgate")
	return p, nil
}

// openMongo opens the collection of a URL. The server makes the collection at the first write.
func openMongo(ctx context.Context, where string, _ use) (opened, error) {
	p, err := readMongoURL(where)
	if err != nil {
		return opened{}, err
	}
	with := options.Client().ApplyURI(p.uri)
	if with.ServerSelectionTimeout == nil {
		with.SetServerSelectionTimeout(serverPatience)
	}
	if with.Timeout == nil {
		with.SetTimeout(2 * serverPatience) // a linearizable read waits without an end otherwise
	}
	client, err := mongo.Connect(with)
	if err != nil {
		return opened{}, errMongoURL
	}
	e := mongoEngine{client.Database(p.database).Collection(p.collection)}
	closeClient := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverPatience)
		defer cancel()
		return client.Disconnect(ctx)
	}
	store := mongostore.New(e.collection)
	// A server that is down, a user without rights, or one server alone refuses this read.
	_, err = store.Get(ctx, anyScratch+"open")
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return opened{}, errors.Join(fmt.Errorf("mongodb: %w", err), closeClient())
	}
	return opened{store, e, closeClient}, nil
}

// mongoEngine is a collection of MongoDB.
type mongoEngine struct{ collection *mongo.Collection }

// clock returns the time of the server that replies.
func (e mongoEngine) clock(ctx context.Context) (time.Time, bool, error) {
	reply, err := e.ask(ctx, "hello")
	now, ok := reply.Lookup("localTime").TimeOK()
	return now, ok, err
}

// ask runs a command without arguments.
func (e mongoEngine) ask(ctx context.Context, command string) (bson.Raw, error) {
	return e.collection.Database().RunCommand(ctx, bson.D{{Key: command, Value: 1}}).Raw()
}

// settings leaves empty what the user of the database may not see. Each write of the store itself
// asks for a majority and the journal.
func (e mongoEngine) settings(ctx context.Context) (map[string]string, error) {
	list := map[string]string{"storage-engine": "", "ttl-index": "", "collation": ""}
	if reply, err := e.ask(ctx, "serverStatus"); err == nil {
		list["storage-engine"], _ = reply.Lookup("storageEngine", "name").StringValueOK()
	}
	if indexes, err := e.collection.Indexes().ListSpecifications(ctx); err == nil {
		list["ttl-index"] = ttlIndex(indexes)
	}
	found, err := e.collection.Database().ListCollectionSpecifications(ctx,
		bson.D{{Key: "name", Value: e.collection.Name()}})
	if err == nil {
		list["collation"] = collationOf(found)
	}
	return list, ctx.Err()
}

// ttlIndex returns the name of an index that deletes documents, or "none".
func ttlIndex(indexes []mongo.IndexSpecification) string {
	for _, index := range indexes {
		if index.ExpireAfterSeconds != nil {
			return index.Name
		}
	}
	return "none"
}

// collationOf returns the locale by which a collection compares keys, or "none".
func collationOf(found []mongo.CollectionSpecification) string {
	for _, c := range found {
		if locale, ok := c.Options.Lookup("collation", "locale").StringValueOK(); ok {
			return locale
		}
	}
	return "none"
}

func (e mongoEngine) records(ctx context.Context) (int, error) {
	n, err := e.collection.EstimatedDocumentCount(ctx)
	return int(n), err
}
