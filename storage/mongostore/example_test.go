package mongostore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/secondgate/secondgate/storage/mongostore"
)

// Servers that do not reply are no user without a record.
func Example() {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	store := mongostore.New(client.Database("acme").Collection("secondgate"))
	_, err = store.Get(ctx, "ann")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}
