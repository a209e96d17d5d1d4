// Package etcdstore keeps records in etcd, through the client of go.etcd.io/etcd/client/v3. It is a
// module of its own, so that other applications do not get that client's dependencies.
//
//	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints,
//		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second})
//	store := etcdstore.New(client, "secondgate/")
//
// etcd replicates before it replies, and elects another leader when one fails: no acknowledged
// write is lost as long as a majority of the servers keep their disks. The tests run three servers
// of etcd 3.4, and kill, pause and cut off the one that leads.
//
// # What a client must be set to
//
// DialKeepAliveTime makes the client leave a server that is silent, such as one whose machine
// stopped. Without it, requests to that server fail at their deadline until its connection breaks.
// Servers refuse pings more often than once in five seconds (--grpc-keepalive-min-time).
//
// Reads must not be serializable (clientv3.WithSerializable), which a server answers from what it
// has: one that is cut off from the others would show a used code as unused, and no lock. This
// package never asks for such reads, so a KV that wraps the client must not add the option.
//
// # What a server must be set to
//
//	--auto-compaction-mode=periodic --auto-compaction-retention=1h
//	--quota-backend-bytes=8589934592
//
// etcd keeps every version of a key until it is compacted, which it is not by default. At its
// quota, of 2 GiB by default, a cluster refuses all writes, and nobody signs in with a second
// factor. Space that compaction frees is used again. A cluster that was at its quota refuses writes
// until an operator has made room and runs "etcdctl alarm disarm".
//
// The flag --unsafe-no-fsync takes back acknowledged writes in a power cut: a code that was used is
// valid again, and failed attempts are not counted.
//
// With authentication, the client's role needs readwrite on the keys under the prefix.
package etcdstore
