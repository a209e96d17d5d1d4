// Package trail keeps an audit trail: who did what, when, from where and why, in a form in which an
// auditor finds what was altered, removed, reordered or cut off.
//
//	log, err := trail.OpenFile("/var/lib/acme/trail.jsonl") // or trail.NewTable(db, …)
//	t, err := trail.New(trail.Config{Log: log, Key: key, Origin: "acme.example/trail"})
//	go t.Run(ctx)
//	manager, err := mfa.New(mfa.Config{Events: t.Events(next), …})
//
// # The chain
//
// Every entry has a hash of itself and of the entry before. [Trail.Run] writes entries in batches,
// and the last entry of each has a checkpoint: the number of entries and the hash of the last one,
// signed with Ed25519. Its form is the signed note of C2SP, and its text that of tlog-checkpoint
// with the hash of the chain in place of a tree's root. An attacker who can write to the log and
// does not have the key can make no entry that verifies, and no trail that ends elsewhere than at
// a checkpoint.
//
// Such an attacker can still cut the trail off behind an older checkpoint. Two things find that. A
// running Trail continues only a log that has what it saw there before, and reports [ErrRewritten]
// otherwise. And [Config.Anchor] gets the newest checkpoint to keep it where the attacker cannot
// write, such as on another machine: [Verify] compares the trail with it. Without anchors a trail
// that is cut off while no process runs verifies.
//
// # What a crash loses
//
// An event is in memory until the batch after it is written, so that a sign-in waits for no second
// write. The batch begins at most [Config.Interval] after the event, or after the write during
// which it came. It takes longer while the log is slower than the events come. A process that is
// killed loses these events and no more; [Trail.Flush] waits until they are written. What a killed
// process wrote of a batch without its checkpoint is removed by the next writer.
//
// # Personal data
//
// The user, the addresses, the actor and the reason of an act are in the personal part of an
// entry. The chain has only a hash of that part and of a random salt in it. [Trail.Erase] removes
// the part, so that the rest of the trail still verifies, and keeps an entry that says so. [Verify]
// reports a part that is missing without such an entry.
package trail
