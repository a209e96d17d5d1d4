package linearizability_test

import (
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage/natsstore"
)

// clusters are engines of which a majority of servers must agree to a write.
var clusters = []struct {
	name  string
	start func(t testing.TB, nodes int) *servers.Cluster
	// address returns that of an empty store, without the engine.
	address func(t testing.TB, c *servers.Cluster) string
}{
	{"etcd", func(t testing.TB, nodes int) *servers.Cluster { return servers.Etcd(t, nodes) },
		func(_ testing.TB, c *servers.Cluster) string { return c.Addrs() + "/" + rand.Text() }},
	{"nats", servers.NATS, newStream},
}

// newStream replaces the stream of the crowd before.
func newStream(t testing.TB, c *servers.Cluster) string {
	t.Helper()
	conn, err := nats.Connect(c.Addrs(), nats.Timeout(time.Minute))
	require.NoError(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(time.Minute))
	require.NoError(t, err)
	const name = "secondgate" // of which the cluster knows who leads
	// A cluster that is ready may elect once more.
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		require.ErrorIs(c, js.DeleteStream(t.Context(), name), jetstream.ErrStreamNotFound)
	}, 3*time.Minute, 100*time.Millisecond)
	require.EventuallyWithT(t, func(collect *assert.CollectT) {
		_, err := js.CreateStream(t.Context(), natsstore.StreamConfig(name, len(c.Nodes)))
		require.NoError(collect, err)
	}, 3*time.Minute, 100*time.Millisecond)
	c.Leader()
	return c.Addrs() + "/" + name
}

// election is how a cluster loses the server that leads, and gets it back.
type election struct {
	name       string
	lose, mend func(c *servers.Cluster, leader int)
}

var elections = []election{
	{"the leader is killed",
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Kill() },
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Start() }},
	{"the leader sleeps",
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Suspend() },
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Resume() }},
	// Its clients reach it still.
	{"the leader is cut off from its peers",
		func(c *servers.Cluster, leader int) { c.CutOff(leader) },
		func(c *servers.Cluster, _ int) { c.Heal() }},
	{"the leader is restarted",
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Stop() },
		func(c *servers.Cluster, leader int) { c.Nodes[leader].Start() }},
}

// electionPatience is how long a deed waits in an election. Fewer are left unknown than with less.
const electionPatience = 2 * time.Second

// next returns the leader that is lost next. In a short run all replicas have everything before:
// JetStream has lost a record when a leader was lost while another replica was still behind.
func next(c *servers.Cluster) int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return c.Leader()
	}
	return c.Whole()
}

// elect has a crowd work on a record of its own during elections. The one that led comes back when
// another leads, and changes were made.
func elect(t *testing.T, address string, cluster *servers.Cluster, list []election) *crowd {
	t.Helper()
	c := newCrowd(t, address)
	c.patience, c.nap = electionPatience, 20*time.Millisecond
	c.during(func() {
		for _, e := range list {
			leader := next(cluster)
			e.lose(cluster, leader)
			began := time.Now()
			cluster.Leader(leader)
			t.Logf("%s; another leads after %s", e.name, time.Since(began).Round(time.Millisecond))
			c.await(30)
			e.mend(cluster, leader)
			c.await(20)
		}
	})
	return c
}

// A cluster elects another leader while users sign in, and loses no acknowledged change: nothing is
// accepted twice, and every limit is exact.
func TestManager_IsLinearizableInElections(t *testing.T) {
	for _, engine := range clusters {
		t.Run(engine.name, func(t *testing.T) {
			cluster := engine.start(t, 3)
			run := func(list []election) *crowd {
				address := engine.name + " " + engine.address(t, cluster)
				return elect(t, address, cluster, list)
			}
			if os.Getenv("SECONDGATE_LONG") == "" {
				untilSeen(t, []string{nothing}, func() *crowd { return run(elections) })
				return
			}
			for _, e := range elections {
				for began := time.Now(); time.Since(began) < 10*time.Minute; {
					untilSeen(t, nil, func() *crowd { return run([]election{e, e}) })
				}
			}
		})
	}
}
