package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// shown is an engine that shows its settings.
type shown map[string]string

func (shown) clock(context.Context) (now time.Time, ok bool, err error) { return }

func (s shown) settings(context.Context) (map[string]string, error) { return s, nil }

func (shown) records(context.Context) (int, error) { return 0, nil }

// A setting with which the database deletes records, or loses them, is a problem on each engine.
func TestCheck_FindsSettingsThatLoseRecords(t *testing.T) {
	seconds := int32(60)
	raw, err := bson.Marshal(bson.M{"collation": bson.M{"locale": "en"}})
	require.NoError(t, err)
	lossy := shown{
		"ttl-index": ttlIndex([]mongo.IndexSpecification{{Name: "_id_"},
			{Name: "at_1", ExpireAfterSeconds: &seconds}}),
		"collation":      collationOf([]mongo.CollectionSpecification{{Options: raw}}),
		"storage-engine": "inMemory", "time-to-live": "enabled",
	}
	kept := shown{"ttl-index": ttlIndex([]mongo.IndexSpecification{{Name: "_id_"}}),
		"collation":      collationOf([]mongo.CollectionSpecification{{}}),
		"storage-engine": "wiredTiger", "time-to-live": "disabled"}
	for engine, want := range map[*shown]string{&lossy: resultProblem, &kept: resultOK} {
		found, err := checkSettings(t.Context(), &call{opened: opened{engine: *engine}})
		require.NoError(t, err)
		require.Len(t, found, len(*engine))
		for _, f := range found {
			require.Equal(t, want, f.Result, f)
		}
	}
	require.Equal(t, "at_1", lossy["ttl-index"])
	require.Equal(t, "en", lossy["collation"])
}

// The clock of DynamoDB is that of its responses, and a role that may not ask for the time to live
// makes that unknown.
func TestDynamoEngine_ReadsTheClockAndTheTimeToLive(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	at := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC)
	refuses := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", at.Format(http.TimeFormat))
		switch {
		case r.Header.Get("X-Amz-Target") == "DynamoDB_20120810.DescribeTable":
			_, _ = io.WriteString(w, `{"Table":{"ItemCount":7}}`)
		case refuses:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException"}`)
		default:
			_, _ = io.WriteString(w, `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED"}}`)
		}
	}))
	defer server.Close()
	table := dynamoTable{"acme", "eu-central-1", server.URL}
	e := dynamoEngine{table.client(), &table.name}
	now, ok, err := e.clock(t.Context())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, at.Add(time.Second/2), now.UTC())
	n, err := e.records(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, n)
	list, err := e.settings(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"time-to-live": "enabled"}, list)
	refuses = true
	list, err = e.settings(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"time-to-live": ""}, list)
}
