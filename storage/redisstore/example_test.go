package redisstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/storage/redisstore"
)

// With go-redis, do would be
//
//	func(ctx context.Context, args ...any) (any, error) {
//		return client.Do(ctx, args...).Result()
//	}
func Example() {
	do := func(context.Context, ...any) (any, error) {
		return nil, errors.New("dial tcp: connection refused")
	}
	_, err := redisstore.New(context.Background(), redisstore.Config{Do: do})
	fmt.Println(err)
	// Output: redisstore: read the server's settings: dial tcp: connection refused
}
