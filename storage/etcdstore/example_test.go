package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/secondgate/secondgate/storage/etcdstore"
)

// A cluster that does not reply is no user without a record.
func Example() {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://127.0.0.1:1"},
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = etcdstore.New(client, "").Get(ctx, "ann")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}
