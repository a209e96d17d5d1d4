package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/secondgate/secondgate/storage/dynamostore"
)

var errDynamoURL = fmt.Errorf("give the store as dynamodb://table?region=eu-central-1, with "+
	"&endpoint=https://host where it is not AWS's own; the credentials are in the variables that "+
	"the programs of AWS read; %w", errUsage)

// tableName has what a name of a table in DynamoDB can have.
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// dynamoTable is what the URL of a table says.
type dynamoTable struct{ name, region, endpoint string }

// readDynamoURL reads the URL of a table. Where it names no region or no endpoint, the variables of
// the programs of AWS do.
func readDynamoURL(where string) (t dynamoTable, err error) {
	u, err := url.Parse(where)
	if err != nil || u.User != nil || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return t, errDynamoURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return t, errDynamoURL
	}
	t = dynamoTable{name: u.Host,
		region: cmp.Or(query.Get("region"), os.Getenv("AWS_REGION"),
			os.Getenv("AWS_DEFAULT_REGION")),
		endpoint: cmp.Or(query.Get("endpoint"), os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"),
			os.Getenv("AWS_ENDPOINT_URL"))}
	query.Del("region")
	query.Del("endpoint")
	if len(query) > 0 || !tableName.MatchString(t.name) || t.region == "" {
		return t, errDynamoURL
	}
	if t.endpoint != "" {
		e, err := url.Parse(t.endpoint)
		if err != nil || e.Host == "" || e.User != nil ||
			e.Scheme != "http" && e.Scheme != "https" {
			return t, errDynamoURL
		}
	}
	return t, nil
}

// client returns a client with the credentials in the environment. It does not read the files and
// the services from which the programs of AWS also take credentials.
func (t dynamoTable) client() *dynamodb.Client {
	options := dynamodb.Options{Region: t.region,
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(serverPatience).
			WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = maxIdle }),
		Credentials: aws.CredentialsProviderFunc(
			func(ctx context.Context) (aws.Credentials, error) {
				c, err := awsCredentials(ctx)
				return aws.Credentials{AccessKeyID: c.AccessKeyID,
					SecretAccessKey: c.SecretAccessKey.Reveal(),
					SessionToken:    c.SessionToken.Reveal()}, err
			})}
	if t.endpoint != "" {
		options.BaseEndpoint = &t.endpoint
	}
	return dynamodb.New(options)
}

// openDynamo opens the table of a URL. To create, it makes the table.
func openDynamo(ctx context.Context, where string, want use) (opened, error) {
	t, err := readDynamoURL(where)
	if err != nil {
		return opened{}, err
	}
	if _, err := awsCredentials(ctx); err != nil {
		return opened{}, fmt.Errorf("dynamodb: %w", err)
	}
	e := dynamoEngine{t.client(), &t.name}
	if want == toCreate {
		if err := e.create(ctx); err != nil {
			return opened{}, fmt.Errorf("dynamodb: the table %s: %w", t.name, err)
		}
	}
	store, err := dynamostore.New(ctx, e.client, t.name)
	if isMissing(err) {
		err = fmt.Errorf("%w. If the table is missing, run: secondgate init", err)
	}
	if err != nil {
		return opened{}, err
	}
	return opened{store, e, func() error { return nil }}, nil
}

func isMissing(err error) bool {
	missing := (*types.ResourceNotFoundException)(nil)
	return errors.As(err, &missing)
}

// dynamoEngine is a table of DynamoDB.
type dynamoEngine struct {
	client *dynamodb.Client
	table  *string
}

// tablePatience is how long init waits for a table that is being made.
const tablePatience = 5 * time.Minute

// create makes the table unless it is there, and waits until it can be used. Another process may
// be making it.
func (e dynamoEngine) create(ctx context.Context) error {
	_, err := e.describe(ctx)
	if isMissing(err) {
		_, err = e.client.CreateTable(ctx, dynamostore.TableInput(*e.table))
		if made := (*types.ResourceInUseException)(nil); errors.As(err, &made) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	return dynamodb.NewTableExistsWaiter(e.client).Wait(ctx,
		&dynamodb.DescribeTableInput{TableName: e.table}, tablePatience,
		func(o *dynamodb.TableExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Second, 5*time.Second
		})
}

func (e dynamoEngine) describe(ctx context.Context) (*dynamodb.DescribeTableOutput, error) {
	return e.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: e.table})
}

// clock returns the time of a response, which is in whole seconds, and so the middle of its second.
func (e dynamoEngine) clock(ctx context.Context) (time.Time, bool, error) {
	reply, err := e.describe(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	now, ok := middleware.GetServerTime(reply.ResultMetadata)
	return now.Add(time.Second / 2), ok, nil
}

// settings has no more than what deletes records: DynamoDB keeps every acknowledged write.
func (e dynamoEngine) settings(ctx context.Context) (map[string]string, error) {
	reply, err := e.client.DescribeTimeToLive(ctx,
		&dynamodb.DescribeTimeToLiveInput{TableName: e.table})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil || reply.TimeToLiveDescription == nil: // a role that may not ask
		return map[string]string{"time-to-live": ""}, nil
	}
	return map[string]string{
		"time-to-live": strings.ToLower(string(reply.TimeToLiveDescription.TimeToLiveStatus))}, nil
}

// records returns what DynamoDB counted within the last six hours.
func (e dynamoEngine) records(ctx context.Context) (int, error) {
	reply, err := e.describe(ctx)
	if err != nil {
		return 0, err
	}
	return int(aws.ToInt64(reply.Table.ItemCount)), nil
}
