package natsstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamConfig returns the configuration of a stream for a Store, to be created once by
// js.CreateStream, or by an operator. Three replicas survive the loss of one server.
func StreamConfig(name string, replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Replicas: replicas,
		Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
		DenyDelete: true, DenyPurge: true}
}

// New returns a Store in the stream of a name. It refuses a stream whose settings lose records or
// show old ones, with a sentence that says what to change. It does not close the connection.
func New(ctx context.Context, js jetstream.JetStream, name string) (*Store, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil, failed(ctx, "open", err)
	}
	if err := check(stream.CachedInfo().Config); err != nil {
		return nil, fmt.Errorf("natsstore: the stream %s: %w", name, err)
	}
	return &Store{js: js, stream: stream, records: name + ".record.", reads: name + ".reads"}, nil
}

func check(c jetstream.StreamConfig) error {
	switch {
	case c.AllowDirect:
		return errors.New("AllowDirect is on, so that any replica replies to a read, also one that " +
			"is behind: turn it off")
	case c.MaxAge != 0, c.Retention != jetstream.LimitsPolicy, c.Discard != jetstream.DiscardNew:
		return errors.New("it drops records, by age, when they were read or when it is full: set no " +
			"MaxAge, the limits policy and DiscardNew")
	case c.MaxMsgsPerSubject != 1:
		return errors.New("it keeps more than the last message of a subject: set " +
			"MaxMsgsPerSubject to 1")
	case c.Storage != jetstream.FileStorage:
		return errors.New("it is in memory, so that a restart takes records away: use file storage")
	}
	return nil
}
