// Package dynamostore keeps records in Amazon DynamoDB, through the client of
// github.com/aws/aws-sdk-go-v2/service/dynamodb. It is a module of its own, so that other
// applications do not get that client's dependencies.
//
//	client := dynamodb.NewFromConfig(cfg)
//	_, err := client.CreateTable(ctx, dynamostore.TableInput("secondgate")) // once
//	store, err := dynamostore.New(ctx, client, "secondgate")
//
// # What it has been run against
//
// The tests run dynalite 4, a stand-in for DynamoDB in Node.js, and no DynamoDB. They show that the
// requests are correct. They do not show what DynamoDB does when one of its servers fails. Run the
// kit in storage/storagetest against your own table before you rely on this package.
//
// # What the table must be set to
//
// A record is an item whose partition key is the binary attribute "k". Each write has a condition,
// and each read is strongly consistent.
//
// A global table must have multi-Region strong consistency. By default its regions agree later, and
// the last write wins: each region accepts a code once, and failed attempts are not counted. [New]
// refuses such a table.
//
// Time to live must be off, because it deletes records: a user would have no second factor.
//
// The role of the application needs dynamodb:DescribeTable, GetItem, PutItem and DeleteItem on the
// table, and Scan for re-encryption and reports. It needs no right to create or change a table.
//
// # Limits
//
// DynamoDB limits an item to 400 KB. A record has at most 66 KB with its key, and 2 KB in practice.
// A write uses a write unit for each KB, also when its condition fails. A read uses a read unit for
// each 4 KB. [Store.List] reads the whole table, whatever the prefix.
//
// By default the client sends a request again when it got no reply. A write that was made would
// then be reported as a conflict, so this package sends each write once. A sign-in fails when the
// table throttles its write; on-demand capacity makes that rare.
package dynamostore
