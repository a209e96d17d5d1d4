// Package mongostore keeps records in a collection of MongoDB, through the client of
// go.mongodb.org/mongo-driver/v2. It is a module of its own, so that other applications do not get
// that client's dependencies.
//
//	client, err := mongo.Connect(options.Client().ApplyURI(uri))
//	store := mongostore.New(client.Database("acme").Collection("secondgate"))
//
// # What it has been run against
//
// The tests run FerretDB 1.24, a server with MongoDB's protocol, and no MongoDB. They show that the
// commands are correct. They do not show what MongoDB does when a primary fails. Run the kit in
// storage/storagetest against your own servers before you rely on this package.
//
// Do not use this package with FerretDB. FerretDB reads and writes in two steps, so that two
// conditional writes at once both succeed: a code is accepted twice. The tests let it do one
// command after the other. Other engines with MongoDB's protocol have not been tried.
//
// # What the servers must be set to
//
// A replica set needs three members that hold data, with the storage engine WiredTiger. A sharded
// cluster has such sets as its shards; shard the collection by the hash of _id. A server outside a
// replica set refuses the reads. With an arbiter in place of a member, one failure can stop all
// writes.
//
// [New] sets these for its own operations, whatever the client's settings are:
//
//   - Write concern "majority" with the journal. Without it, a primary that fails takes back
//     acknowledged writes: a code that was used is valid again, and failed attempts are not
//     counted.
//   - Read concern "linearizable" at the primary. A read at a secondary, or at a primary that was
//     replaced and does not know, shows a used code as unused, and no lock.
//
// The collection must have no collation and no TTL index. A collation may treat two keys as equal,
// and a TTL index deletes records: a user would have no second factor.
//
// Retryable writes may be on, which is the default: MongoDB makes such a write once. Give each call
// a deadline. Without one, a linearizable read waits until a majority is back.
//
// The client's user needs find, insert, update and remove on the collection.
//
// # Limits
//
// MongoDB limits a document to 16 MB. A record has at most 67 KB with its key, and 2 KB in
// practice. A read takes as long as a write, because a majority confirms both.
package mongostore
