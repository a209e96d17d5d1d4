package dynamostore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/dynamostore"
)

// request is what a server was asked: the operation and its arguments.
type request struct {
	operation string
	arguments map[string]any
}

// fake returns a client of a server that describes a table, fails every other operation with 500,
// and appends what it was asked to the list.
func fake(t *testing.T, table string, asked *[]request) *dynamodb.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var arguments map[string]any
		if err := json.NewDecoder(r.Body).Decode(&arguments); err != nil {
			t.Error(err)
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if operation == "DescribeTable" {
			_, _ = fmt.Fprintf(w, `{"Table":{"AttributeDefinitions":[{"AttributeName":"k",
				"AttributeType":"B"}],"KeySchema":[{"AttributeName":"k",
				"KeyType":"HASH"}]%s}}`, table)
			return
		}
		*asked = append(*asked, request{operation, arguments})
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	return dynamodb.New(dynamodb.Options{Region: "eu-central-1", BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
			})})
}

// A write that was made before its reply was lost would be a conflict with itself.
func TestStoreSwap_IsSentOnce(t *testing.T) {
	var asked []request
	s, err := dynamostore.New(t.Context(), fake(t, "", &asked), "secondgate")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(t.Context(), "ann", "", storage.Record{Revision: "1",
		Data: []byte("x")}); err == nil {
		t.Error("a swap that failed returned no error")
	}
	if err := s.Delete(t.Context(), "ann", "1"); err == nil {
		t.Error("a deletion that failed returned no error")
	}
	if len(asked) != 2 || asked[0].operation != "PutItem" || asked[1].operation != "DeleteItem" {
		t.Errorf("a swap and a deletion sent %v", asked)
	}
}

// A read that is not strongly consistent may show a used code as unused.
func TestStoreGet_IsStronglyConsistent(t *testing.T) {
	var asked []request
	client := fake(t, "", &asked)
	s, err := dynamostore.New(t.Context(), dynamodb.New(client.Options(),
		func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }), "secondgate")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Get(t.Context(), "ann")
	_, _, _ = s.List(t.Context(), "", "", 1)
	if len(asked) != 2 {
		t.Fatalf("a read and a walk sent %v", asked)
	}
	for _, r := range asked {
		if r.arguments["ConsistentRead"] != true {
			t.Errorf("%s is not strongly consistent", r.operation)
		}
	}
}

// Regions that agree later each accept a code.
func TestNew_RefusesRegionsThatAgreeLater(t *testing.T) {
	for table, refused := range map[string]bool{
		``: false,
		`,"Replicas":[{"RegionName":"eu-west-1"}]`:                                     true,
		`,"Replicas":[{"RegionName":"eu-west-1"}],"MultiRegionConsistency":"EVENTUAL"`: true,
		`,"Replicas":[{"RegionName":"eu-west-1"}],"MultiRegionConsistency":"STRONG"`:   false,
	} {
		_, err := dynamostore.New(t.Context(), fake(t, table, new([]request)), "secondgate")
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "agree later") {
			t.Errorf("a table with %q: %v", table, err)
		}
	}
}
