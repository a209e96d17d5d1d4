package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TableInput returns what client.CreateTable needs for the table of a Store: on-demand capacity,
// and protection from being deleted. An operator may create the table with other settings.
func TableInput(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{TableName: &name,
		BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("k"),
			AttributeType: types.ScalarAttributeTypeB}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("k"),
			KeyType: types.KeyTypeHash}}}
}

// New returns a Store in the table of a name. It refuses a table with other keys, and one that
// several regions write to without strong consistency.
func New(ctx context.Context, client *dynamodb.Client, name string) (*Store, error) {
	reply, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, failed(ctx, "open", err)
	}
	if err := check(reply.Table); err != nil {
		return nil, fmt.Errorf("dynamostore: the table %s: %w", name, err)
	}
	return &Store{client: client, table: &name}, nil
}

func check(t *types.TableDescription) error {
	ours := TableInput("").AttributeDefinitions[0]
	var keys []types.AttributeDefinition
	for _, a := range t.AttributeDefinitions {
		for _, k := range t.KeySchema {
			if aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName) {
				keys = append(keys, a)
			}
		}
	}
	switch {
	case len(keys) != 1, aws.ToString(keys[0].AttributeName) != *ours.AttributeName,
		keys[0].AttributeType != ours.AttributeType:
		return errors.New("its key is not the binary attribute k alone: create it with TableInput")
	case len(t.Replicas) > 0 && t.MultiRegionConsistency != types.MultiRegionConsistencyStrong:
		return errors.New("its regions agree later, so that each accepts a code: use " +
			"multi-Region strong consistency, or one region")
	}
	return nil
}
