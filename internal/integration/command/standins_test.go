package command_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/dynamostore"
	"github.com/secondgate/secondgate/storage/mongostore"
)

// onDynamoDB has dynalite in the place of DynamoDB.
func onDynamoDB(t *testing.T) *operator {
	t.Helper()
	endpoint := "http://" + servers.Dynalite(t, npm.Install(t, "../standins/testdata/npm")).Addr
	client := dynamodb.New(dynamodb.Options{Region: "eu-central-1", BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "hunter2"}, nil
			})})
	return newOperator(t, "dynamodb://Acme.second_gate?region=eu-central-1&endpoint="+endpoint,
		func() storage.Store {
			t.Helper()
			s, err := dynamostore.New(t.Context(), client, "Acme.second_gate")
			require.NoError(t, err)
			return s
		}, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=hunter2")
}

// onMongoDB has FerretDB in the place of MongoDB.
func onMongoDB(t *testing.T) *operator {
	t.Helper()
	uri := "mongodb://" + servers.FerretDB(t).Addr + "/acme"
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return newOperator(t, uri+"?collection=factors", func() storage.Store {
		return mongostore.New(client.Database("acme").Collection("factors"))
	})
}
