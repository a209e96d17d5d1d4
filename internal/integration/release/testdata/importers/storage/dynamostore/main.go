package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/dynamostore"
)

func main() {
	var store storage.Store = (*dynamostore.Store)(nil)
	if *dynamostore.TableInput("acme").TableName != "acme" || store == nil {
		log.Fatal("the table has another name")
	}
	fmt.Println("ok")
}
