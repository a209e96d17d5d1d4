// Package standins_test runs the stores of DynamoDB and MongoDB over stand-ins for the two.
package standins_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/dynamostore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

const table = "secondgate"

func dynamo(addr string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: "eu-central-1",
		BaseEndpoint: aws.String("http://" + addr),
		Credentials: aws.CredentialsProviderFunc(
			func(ctx context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			})})
}

func TestDynamoStore_Conforms(t *testing.T) {
	server := servers.Dynalite(t, npm.Install(t, "testdata/npm"))
	_, err := dynamo(server.Addr).CreateTable(t.Context(), dynamostore.TableInput(table))
	require.NoError(t, err)
	storagetest.Run(t, servers.InTurn(func() storage.Store {
		s, err := dynamostore.New(t.Context(), dynamo(server.Addr), table)
		require.NoError(t, err)
		return s
	}))
	t.Run("an item that is foreign", func(t *testing.T) { dynamoReadsNothingForeign(t, server) })
	t.Run("other tables", func(t *testing.T) { dynamoRefusesTables(t, server) })
}

func dynamoReadsNothingForeign(t *testing.T, server *servers.Server) {
	t.Helper()
	name := table
	_, err := dynamo(server.Addr).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name,
		Item: map[string]types.AttributeValue{
			"k": &types.AttributeValueMemberB{Value: []byte("foreign")}}})
	require.NoError(t, err)
	s, err := dynamostore.New(t.Context(), dynamo(server.Addr), table)
	require.NoError(t, err)
	_, err = s.Get(t.Context(), "foreign")
	require.ErrorContains(t, err, "foreign")
	require.NotErrorIs(t, err, storage.ErrNotFound)
}

func dynamoRefusesTables(t *testing.T, server *servers.Server) {
	t.Helper()
	client := dynamo(server.Addr)
	for name, change := range map[string]func(c *dynamodb.CreateTableInput){
		"text": func(c *dynamodb.CreateTableInput) {
			c.AttributeDefinitions[0].AttributeType = types.ScalarAttributeTypeS
		},
		"another_name": func(c *dynamodb.CreateTableInput) {
			c.AttributeDefinitions[0].AttributeName = aws.String("id")
			c.KeySchema[0].AttributeName = aws.String("id")
		},
		"two_keys": func(c *dynamodb.CreateTableInput) {
			c.AttributeDefinitions = append(c.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: aws.String("s"), AttributeType: types.ScalarAttributeTypeB})
			c.KeySchema = append(c.KeySchema, types.KeySchemaElement{
				AttributeName: aws.String("s"), KeyType: types.KeyTypeRange})
		},
	} {
		input := dynamostore.TableInput(name)
		change(input)
		_, err := client.CreateTable(t.Context(), input)
		require.NoError(t, err)
		_, err = dynamostore.New(t.Context(), client, name)
		require.ErrorContains(t, err, "create it with TableInput")
	}
	_, err := dynamostore.New(t.Context(), client, "missing")
	var missing *types.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
}
