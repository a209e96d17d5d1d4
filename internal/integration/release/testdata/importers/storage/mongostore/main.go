package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/mongostore"
)

func main() {
	var store storage.Store = (*mongostore.Store)(nil)
	if store == nil {
		log.Fatal("no store")
	}
	fmt.Println("ok")
}
