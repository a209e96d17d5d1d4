package standins_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/mongostore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// mongoCollection returns the collection of a test, from a client whose own settings would lose
// writes. FerretDB reads the whole collection for each write, so each test has a small one.
func mongoCollection(
	t testing.TB, addr string, monitor *event.CommandMonitor,
) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + addr).
		SetWriteConcern(writeconcern.W1()).SetReadPreference(readpref.SecondaryPreferred()).
		SetMonitor(monitor))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database("acme").Collection(strings.ReplaceAll(t.Name(), "/", "-"))
}

func TestMongoStore_Conforms(t *testing.T) {
	server := servers.FerretDB(t)
	storagetest.Run(t, servers.InTurn(func() storage.Store {
		return mongostore.New(mongoCollection(t, server.Addr, nil))
	}))
	t.Run("a document that is foreign", func(t *testing.T) { mongoReadsNothingForeign(t, server) })
}

// It reads the commands, as FerretDB ignores concerns.
func TestMongoStore_AsksAMajority(t *testing.T) {
	server := servers.FerretDB(t)
	var (
		mu   sync.Mutex
		sent = make(map[string]bson.Raw)
	)
	last := func(command string) bson.Raw {
		mu.Lock()
		defer mu.Unlock()
		return sent[command]
	}
	s := mongostore.New(mongoCollection(t, server.Addr, &event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			mu.Lock()
			defer mu.Unlock()
			sent[e.CommandName] = e.Command
		}}))
	require.NoError(t, s.Swap(t.Context(), "ann", "", record("1")))
	require.NoError(t, s.Swap(t.Context(), "ann", "1", record("2")))
	_, err := s.Get(t.Context(), "ann")
	require.NoError(t, err)
	mongoReads(t, last("find"))
	_, _, err = s.List(t.Context(), "", "", 1)
	require.NoError(t, err)
	mongoReads(t, last("find"))
	require.NoError(t, s.Delete(t.Context(), "ann", "2"))
	for _, write := range []string{"insert", "update", "delete"} {
		concern := last(write).Lookup("writeConcern")
		require.Equal(t, "majority", concern.Document().Lookup("w").StringValue(), write)
		require.True(t, concern.Document().Lookup("j").Boolean(), write)
	}
}

func record(revision storage.Revision) storage.Record {
	return storage.Record{Revision: revision, Data: []byte("x")}
}

// mongoReads checks that a find is linearizable, and sent to the primary.
func mongoReads(t *testing.T, find bson.Raw) {
	t.Helper()
	require.Equal(t, "linearizable", find.Lookup("readConcern", "level").StringValue())
	mode, _ := find.Lookup("$readPreference", "mode").StringValueOK()
	require.NotContains(t, mode, "secondary")
}

func mongoReadsNothingForeign(t *testing.T, server *servers.Server) {
	t.Helper()
	records := mongoCollection(t, server.Addr, nil)
	_, err := records.InsertOne(t.Context(), bson.M{"_id": "616e6e", "name": "ann"})
	require.NoError(t, err)
	_, err = mongostore.New(records).Get(t.Context(), "ann")
	require.ErrorContains(t, err, "foreign")
	require.NotErrorIs(t, err, storage.ErrNotFound)
}
