package clusters_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/natsstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

const stream = "secondgate"

func jet(t testing.TB, addrs string) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(addrs, nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
		nats.Timeout(time.Minute))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(time.Minute))
	require.NoError(t, err)
	return js
}

func natsCluster(t testing.TB) *servers.Cluster {
	t.Helper()
	cluster := servers.NATS(t, 3)
	js := jet(t, cluster.Addrs())
	created(t, js, natsstore.StreamConfig(stream, len(cluster.Nodes)))
	cluster.Whole()
	return cluster
}

// created creates a stream, if there is none. A cluster that is ready may elect once more.
func created(t testing.TB, js jetstream.JetStream, cfg jetstream.StreamConfig) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := js.CreateStream(t.Context(), cfg)
		require.NoError(c, err)
	}, 3*time.Minute, 100*time.Millisecond)
}

func natsStore(t testing.TB, addrs string) *natsstore.Store {
	t.Helper()
	s, err := natsstore.New(t.Context(), jet(t, addrs), stream)
	require.NoError(t, err)
	return s
}

func TestNATSStore_Conforms(t *testing.T) {
	cluster := natsCluster(t)
	shared := servers.InTurn(func() storage.Store { return natsStore(t, cluster.Addrs()) })
	storagetest.Run(t, func(t *testing.T) storage.Store {
		// A walk reads all messages, so those about walks have a stream without other messages.
		if _, check, _ := strings.Cut(t.Name(), "/"); strings.HasPrefix(check, "list-") {
			js := jet(t, cluster.Addrs())
			created(t, js, natsstore.StreamConfig(check, len(cluster.Nodes)))
			return natsstoreOf(t, js, check)
		}
		return shared(t)
	})
	t.Run("streams that lose records", func(t *testing.T) { natsRefusesStreams(t, cluster) })
	t.Run("a stream that is replaced", func(t *testing.T) { natsRefusesANewStream(t, cluster) })
	t.Run("a server that refuses what is made", func(t *testing.T) {
		natsKnowsItsWrites(t, cluster)
	})
	t.Run("a leader that is cut off", func(t *testing.T) { natsReadsNothingStale(t, cluster) })
}

// refusing is a client that hears a refusal of each write of a record: that of a server that no
// longer leads. made is whether the one that leads accepts the write.
type refusing struct {
	jetstream.JetStream
	made    bool
	refused int
	then    func()
}

func (r *refusing) PublishMsg(
	ctx context.Context, m *nats.Msg, options ...jetstream.PublishOpt,
) (*jetstream.PubAck, error) {
	if strings.HasSuffix(m.Subject, ".reads") {
		return r.JetStream.PublishMsg(ctx, m, options...)
	}
	if r.made {
		if _, err := r.JetStream.PublishMsg(ctx, m, options...); err != nil {
			return nil, err
		}
	}
	r.refused++
	r.then()
	return nil, &jetstream.APIError{Code: 400,
		ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence}
}

// In an election a client may hear that a write was refused, from the server that led before, while
// the next leader makes it. The store says what became of the write. If it cannot find out, it
// reports no conflict, which would mean that nothing was changed.
func natsKnowsItsWrites(t *testing.T, cluster *servers.Cluster) {
	t.Helper()
	js := &refusing{JetStream: jet(t, cluster.Addrs()), then: func() {}}
	s, plain := natsstoreOf(t, js, stream), natsStore(t, cluster.Addrs())
	ctx := t.Context()
	require.ErrorIs(t, s.Swap(ctx, "refused", "", record("first")), storage.ErrConflict)
	js.made = true
	require.NoError(t, s.Swap(ctx, "refused", "", record("first")))
	require.NoError(t, s.Swap(ctx, "refused", "first", record("second")))
	got, err := plain.Get(ctx, "refused")
	require.NoError(t, err)
	require.Equal(t, record("second"), got)
	require.NoError(t, s.Delete(ctx, "refused", "second"))
	_, err = plain.Get(ctx, "refused")
	require.ErrorIs(t, err, storage.ErrNotFound)

	js.made = false // another process makes the same change instead
	js.then = func() { require.NoError(t, plain.Swap(ctx, "refused", "", record("first"))) }
	require.ErrorIs(t, s.Swap(ctx, "refused", "", record("first")), storage.ErrConflict)
	js.then = func() { require.NoError(t, plain.Delete(ctx, "refused", "first")) }
	require.ErrorIs(t, s.Delete(ctx, "refused", "first"), storage.ErrConflict)

	gone, cancel := context.WithCancel(ctx)
	js.made, js.then = true, cancel
	err = s.Swap(gone, "refused", "", record("first"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, storage.ErrConflict)
	require.Equal(t, 7, js.refused)
}

// Without its records a stream says that users have none. A store that is open notices, and never
// works again.
func natsRefusesANewStream(t *testing.T, cluster *servers.Cluster) {
	t.Helper()
	js := jet(t, cluster.Addrs())
	create := func() *natsstore.Store {
		_, err := js.CreateStream(t.Context(), natsstore.StreamConfig("replaced", 1))
		require.NoError(t, err)
		s, err := natsstore.New(t.Context(), js, "replaced")
		require.NoError(t, err)
		return s
	}
	reads := create()
	writes, lists := natsstoreOf(t, js, "replaced"), natsstoreOf(t, js, "replaced")
	for _, s := range []*natsstore.Store{reads, writes, lists} {
		for _, key := range []string{"ann", "bob", "cleo"} {
			_ = s.Swap(t.Context(), key, "", record("first")) // the others conflict
		}
		_, err := s.Get(t.Context(), "ann")
		require.NoError(t, err)
	}
	require.NoError(t, js.DeleteStream(t.Context(), "replaced"))
	create()
	const lost = "lost records"
	_, err := reads.Get(t.Context(), "ann")
	require.ErrorContains(t, err, lost)
	require.NotErrorIs(t, err, storage.ErrNotFound)
	require.ErrorContains(t, writes.Swap(t.Context(), "dora", "", record("first")), lost)
	_, _, err = lists.List(t.Context(), "", "", 10)
	require.ErrorContains(t, err, lost)
	for range 20 { // the numbers pass those of before
		_, _ = natsstoreOf(t, js, "replaced").Get(t.Context(), "ann")
	}
	_, err = reads.Get(t.Context(), "ann")
	require.ErrorContains(t, err, lost)
	require.ErrorContains(t, reads.Delete(t.Context(), "ann", "first"), lost)
	_, _, err = reads.List(t.Context(), "", "1-2", 10)
	require.ErrorContains(t, err, lost)
	require.NoError(t, js.DeleteStream(t.Context(), "replaced"))
}

func natsstoreOf(t *testing.T, js jetstream.JetStream, name string) *natsstore.Store {
	t.Helper()
	s, err := natsstore.New(t.Context(), js, name)
	require.NoError(t, err)
	return s
}

// A server that led, and is cut off from the others, replies to a read from what it has, and to the
// reads of the store not at all.
func natsReadsNothingStale(t *testing.T, cluster *servers.Cluster) {
	t.Helper()
	leader := cluster.Leader()
	js := jet(t, cluster.Nodes[leader].Addr)
	alone, err := js.Stream(t.Context(), stream)
	require.NoError(t, err)
	var stores []*natsstore.Store // opened before, as that takes a leader of all streams, too
	for _, node := range cluster.Nodes {
		stores = append(stores, natsStore(t, node.Addr))
	}
	store := stores[leader]
	swapped(t, store, "", record("unused"))

	cluster.CutOff(leader)
	elected := cluster.Leader(leader) // with which the cluster is back
	swapped(t, stores[elected], "unused", record("used"))

	// After a long election the server knows that it is alone, and does not reply or refuses.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	stale, err := alone.GetLastMsgForSubject(ctx, stream+".record.616e6e")
	require.NotErrorIs(t, err, jetstream.ErrMsgNotFound)
	if err == nil {
		require.Contains(t, string(stale.Data), "unused")
	}
	failsUntilHealed(t, cluster, store)
}

type config = jetstream.StreamConfig

func natsRefusesStreams(t *testing.T, cluster *servers.Cluster) {
	t.Helper()
	js := jet(t, cluster.Addrs())
	for name, change := range map[string]func(c *config){
		"AllowDirect":       func(c *config) { c.AllowDirect = true },
		"MaxAge":            func(c *config) { c.MaxAge = time.Hour },
		"limits policy":     func(c *config) { c.Retention = jetstream.WorkQueuePolicy },
		"DiscardNew":        func(c *config) { c.Discard = jetstream.DiscardOld },
		"MaxMsgsPerSubject": func(c *config) { c.MaxMsgsPerSubject = 2 },
		"file storage":      func(c *config) { c.Storage = jetstream.MemoryStorage },
		"PersistMode":       func(c *config) { c.PersistMode = jetstream.AsyncPersistMode },
		"NoAck":             func(c *config) { c.NoAck = true },
		"MaxMsgSize":        func(c *config) { c.MaxMsgSize = storage.MaxDataLen },
		"no DiscardNewPer":  func(c *config) { c.DiscardNewPerSubject = true },
		"Sources": func(c *config) {
			c.Sources = []*jetstream.StreamSource{{Name: stream}}
		},
		"SubjectTransform": func(c *config) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "refused.>",
				Destination: "refused.other.>"}
		},
		"Mirror": func(c *config) {
			c.Subjects, c.Mirror = nil, &jetstream.StreamSource{Name: stream}
		},
	} {
		cfg := natsstore.StreamConfig("refused", 1)
		change(&cfg)
		_, err := js.CreateStream(t.Context(), cfg)
		require.NoError(t, err)
		_, err = natsstore.New(t.Context(), js, "refused")
		require.ErrorContains(t, err, name)
		require.NoError(t, js.DeleteStream(t.Context(), "refused"))
	}
	_, err := natsstore.New(t.Context(), js, "refused")
	require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
}
