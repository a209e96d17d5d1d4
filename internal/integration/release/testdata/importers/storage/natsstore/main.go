package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/natsstore"
)

func main() {
	var store storage.Store = (*natsstore.Store)(nil)
	if natsstore.StreamConfig("acme", 3).AllowDirect || store == nil {
		log.Fatal("the stream has direct gets")
	}
	fmt.Println("ok")
}
