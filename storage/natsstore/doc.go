// Package natsstore keeps records in a stream of NATS JetStream, through the client of
// github.com/nats-io/nats.go. It is a module of its own, so that other applications do not get that
// client's dependencies.
//
//	conn, err := nats.Connect(servers, nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
//		nats.PingInterval(2*time.Second), nats.MaxPingsOutstanding(2))
//	js, err := jetstream.New(conn)
//	_, err = js.CreateStream(ctx, natsstore.StreamConfig("secondgate", 3)) // once
//	store, err := natsstore.New(ctx, js, "secondgate")
//
// A record is the last message of a subject, and a write names the sequence number of the one
// before it. It is no bucket of JetStream's key-value store, whose client turns direct gets on.
// The store needs version 2.12 or later of the server.
//
// # What a cluster can lose
//
// JetStream replicates before it replies. The tests run three servers of version 2.15, and kill,
// pause and cut off the one that leads. They found no acknowledged write lost where each replica
// had everything before the next fault. Where the next leader was lost while a replica may have
// been behind, the record was gone at the end of one run of nine.
//
// A Store that is open notices where sequence numbers begin again, as in a stream that was replaced
// or emptied. From then on each call is an error, until the process opens the store again. A
// process that starts afterwards cannot know. Say mfa.User.Enrolled of users who have a second
// factor, and a lost record lets nobody in. Without that, use another engine.
//
// In an election a client may hear that a write was refused, from the server that led before, while
// the next one makes it. The store then reads whose message is there, and a majority confirms the
// read. So a write that was made is no conflict, unless another process has replaced it by then.
//
// # What a read costs
//
// JetStream has no linearizable read. A replica replies to a direct get from what it has, and
// [New] refuses a stream that allows them. Even the leader replies without asking the others: one
// that is cut off does so for about ten seconds, and would show a used code as unused, and no lock.
// So [Store.Get] confirms each read by a message that a majority must accept: a read costs as much
// as a write. Reads of one record at the same moment wait for each other.
//
// # What a server must be set to
//
//	jetstream { sync_interval: always }
//
// By default a server writes to its disk every two minutes. A power cut on all replicas at once, or
// on one after the other, then takes back acknowledged writes: a code that was used is valid
// again, and failed attempts are not counted. The client cannot see this setting.
//
// Nothing else may write to the stream, or change its settings while an application runs: with a
// MaxAge, for example, records end, and a user without a record has no second factor. Say
// User.Enrolled of users who have one, and a lost record lets nobody in.
//
// # What a client must be set to
//
// ReconnectBufSize(-1) lets a write without a connection fail at once; by default the client sends
// it when it is connected again, after the call has failed. PingInterval makes it leave a server
// that is silent.
//
// A deleted record leaves an empty message of about a hundred bytes.
package natsstore
