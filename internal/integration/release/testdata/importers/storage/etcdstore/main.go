package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/etcdstore"
)

func main() {
	var store storage.Store = etcdstore.New(nil, "")
	if store == nil {
		log.Fatal("no store")
	}
	fmt.Println("ok")
}
