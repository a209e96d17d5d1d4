package natsstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/secondgate/secondgate/storage"
)

// StreamConfig returns the configuration of a stream for a Store, to be created once by
// js.CreateStream, or by an operator. Three replicas survive the loss of one server.
func StreamConfig(name string, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Replicas: replicas,
		Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
		DenyDelete: true, DenyPurge: true}
}

// New returns a Store in the stream of a name. It refuses a stream whose settings lose records or
// show old ones, with a sentence that says what to change. It looks at the settings once: call New
// again after a change of the stream. It does not close the connection.
func New(ctx context.Context, js jetstream.JetStream, name string) (*Store, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil, failed(ctx, "open", err)
	}
	info := stream.CachedInfo()
	if err := checkConfig(info.Config); err != nil {
		return nil, fmt.Errorf("natsstore: the stream %s: %w", name, err)
	}
	s := &Store{js: js, stream: stream, records: name + ".record.", reads: name + ".reads"}
	s.latest.Store(info.State.LastSeq)
	return s, nil
}

// minMessage is the largest record with its revision, and room for the headers of a message.
const minMessage = storage.MaxDataLen + storage.MaxRevisionLen + 1024

// checkConfig says what is wrong with a configuration.
func checkConfig(c jetstream.StreamConfig) error {
	for _, rule := range []struct {
		broken bool
		says   string
	}{
		{c.AllowDirect, "AllowDirect is on, so that any replica replies to a read, also one that " +
			"is behind: turn it off"},
		{c.MaxAge != 0 || c.Retention != jetstream.LimitsPolicy ||
			c.Discard != jetstream.DiscardNew, "it drops records, by age, when they were read or " +
			"when it is full: set no MaxAge, the limits policy and DiscardNew"},
		{c.MaxMsgsPerSubject != 1 || c.DiscardNewPerSubject, "it does not keep the last message " +
			"of a subject alone: set MaxMsgsPerSubject to 1, and no DiscardNewPerSubject"},
		{c.Storage != jetstream.FileStorage, "it is in memory, so that a restart takes records " +
			"away: use file storage"},
		{c.PersistMode == jetstream.AsyncPersistMode || c.NoAck, "it acknowledges writes before " +
			"they are on the disk, or not at all: set the default PersistMode, and no NoAck"},
		{c.Mirror != nil || len(c.Sources) > 0 || c.SubjectTransform != nil, "its messages are " +
			"not those that this store publishes: set no Mirror, Sources or SubjectTransform"},
		{c.MaxMsgSize > 0 && c.MaxMsgSize < minMessage, "it refuses the largest records: set no " +
			"MaxMsgSize"},
	} {
		if rule.broken {
			return errors.New(rule.says)
		}
	}
	return nil
}
