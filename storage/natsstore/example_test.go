package natsstore_test

import (
	"fmt"

	"github.com/secondgate/secondgate/storage/natsstore"
)

// The configuration of the stream keeps the last message of each subject, and nothing is dropped.
func ExampleStreamConfig() {
	cfg := natsstore.StreamConfig("secondgate", 3)
	fmt.Println(cfg.Subjects, cfg.MaxMsgsPerSubject, cfg.Discard, cfg.AllowDirect)
	// Output: [secondgate.>] 1 DiscardNew false
}
