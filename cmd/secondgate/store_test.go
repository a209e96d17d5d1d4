package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// schemesOf says by which URLs the command opens each package of stores. unreached has the reason
// why a package has none.
var (
	schemesOf = map[string][]string{
		"sqlstore":    {"sqlite", "postgres", "mysql"},
		"redisstore":  {"redis"},
		"etcdstore":   {"etcd"},
		"natsstore":   {"nats"},
		"mongostore":  {"mongodb"},
		"dynamostore": {"dynamodb"},
	}
	unreached = map[string]string{}
)

// An operator can work on each store of the repository: the help has its URL.
func TestStores_EachPackageHasAURL(t *testing.T) {
	found, err := filepath.Glob("../../storage/*store")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	var all []string
	for _, dir := range found {
		name := filepath.Base(dir)
		require.NotEqual(t, len(schemesOf[name]) > 0, unreached[name] != "",
			"the command opens %s by no URL, or a reason for that is out of date", name)
		for _, scheme := range schemesOf[name] {
			require.NotNil(t, openers()[scheme], scheme)
			all = append(all, scheme+":")
		}
	}
	require.ElementsMatch(t, all, storeSchemes())
	_, messages, _ := newDesk(t).run("report", "-store", "none://h")
	for _, scheme := range all {
		require.Contains(t, messages, scheme)
	}
}

// The URL of a store that keeps no audit trail is not the path of a file, nor is one of MySQL that
// is malformed.
func TestTrail_RefusesURLsOfOtherStores(t *testing.T) {
	d := newDesk(t)
	for scheme := range openers() {
		switch scheme {
		case "sqlite", "postgres", "postgresql", "mysql", "mariadb":
			continue
		}
		_, messages, code := d.run("trail", "init", "-trail", scheme+"://u:hunter2@h/x")
		require.Equal(t, 2, code, scheme)
		require.NotContains(t, messages, "hunter2")
		require.NoDirExists(t, scheme+":")
	}
	for _, where := range []string{"mysql://u:hunter2@h", "mariadb://u:hunter2@h/x?tls=no"} {
		_, messages, code := d.run("trail", "init", "-trail", where)
		require.Equal(t, 2, code, where)
		require.Contains(t, messages, "mysql://user:password@host:3306/database")
		require.NotContains(t, messages, "hunter2")
		require.NoDirExists(t, "mysql:")
	}
}

// A URL of MongoDB or DynamoDB that would be understood otherwise than it is meant is refused.
func TestStores_RefuseURLsOfDocuments(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	d := newDesk(t)
	for _, url := range []string{
		"mongodb:", "mongodb://", "mongodb://u:hunter2@", "mongodb://u:hunter2%zz@h/x",
		"mongodb://u:hunter2@h/x?tsl=true", "mongodb://u:hunter2@h/x?collection=",
		"mongodb://u:hunter2@h/x?w=hunter2&w=%zz", "mongodb://u:hunter2@h:port/x",
		"dynamodb:", "dynamodb://", "dynamodb://table", "dynamodb:table?region=a",
		"dynamodb://table/more?region=a", "dynamodb://table?region=a&more=1",
		"dynamodb://a?region=eu-central-1", "dynamodb://u:hunter2@table?region=a",
		"dynamodb://table?region=a&endpoint=host", "dynamodb://table?region=%zz",
		"dynamodb://table?region=a&endpoint=https://u:hunter2@host",
	} {
		_, messages, code := d.run("report", "-store", url)
		require.Equal(t, 2, code, "%s: %s", url, messages)
		require.Contains(t, messages, "give the store as "+strings.SplitN(url, ":", 2)[0])
		require.NotContains(t, messages, "hunter2", url)
	}
}

// A table is in the region and at the endpoint of the URL, and where it has none, in those of the
// variables. Without credentials the operator reads how to get them.
func TestStores_FindATableOfDynamoDB(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	table, err := readDynamoURL("dynamodb://Acme.second_gate")
	require.NoError(t, err)
	require.Equal(t, dynamoTable{"Acme.second_gate", "eu-west-1", "http://127.0.0.1:1"}, table)
	table, err = readDynamoURL("dynamodb://acme?region=eu-central-1&endpoint=https://h:8000")
	require.NoError(t, err)
	require.Equal(t, dynamoTable{"acme", "eu-central-1", "https://h:8000"}, table)
	d := newDesk(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, messages, code := d.run("report", "-store", "dynamodb://acme")
	require.Equal(t, 1, code)
	require.Contains(t, messages, "aws configure export-credentials")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	_, messages, code = d.run("report", "-store", "dynamodb://acme")
	require.Equal(t, 1, code)
	require.Contains(t, messages, "refused")
	require.NotContains(t, messages, "hunter2")
}

// The collection in a URL is the command's own option, and the client gets the others.
func TestStores_FindACollectionOfMongoDB(t *testing.T) {
	for url, want := range map[string]mongoPlace{
		"mongodb://h":      {"mongodb://h", "secondgate", "secondgate"},
		"mongodb://h/acme": {"mongodb://h/acme", "acme", "secondgate"},
		"mongodb://h/acme?collection=two%20words": {"mongodb://h/acme", "acme", "two words"},
		"mongodb://u:p@h,i:2/acme?tls=true&collection=a&replicaSet=rs": {
			"mongodb://u:p@h,i:2/acme?tls=true&replicaSet=rs", "acme", "a"},
	} {
		place, err := readMongoURL(url)
		require.NoError(t, err, url)
		require.Equal(t, want, place)
	}
}
