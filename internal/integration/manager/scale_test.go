package manager_test

import (
	"context"
	"crypto/md5" //nolint:gosec // an ID that SQL can make as well
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// appKey is the key of every user's app in a nation.
const appKey = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// nation is so many users with an authenticator app in a table of PostgreSQL, and the application's
// table of users beside it.
type nation struct {
	*world
	db    *sql.DB
	n     int
	table string
	m     *mfa.Manager
	next  int // of the users who sign in

	took                       time.Duration
	signedIn, listed, searched []time.Duration
}

// citizen returns the ID of a user. IDs are in no order, as those of most applications are.
func citizen(i int) string {
	sum := md5.Sum(fmt.Append(nil, i)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// BenchmarkScale is the second step of sign-ins beside a million users in PostgreSQL, in turns with
// the same beside a thousand, by users from the whole of the table: of-1k is the rate as a share of
// the other's. With them go a page of 50 users of the administration, the same after a search, and
// once the report over all. SECONDGATE_RECORDS says how many users there are.
func BenchmarkScale(b *testing.B) {
	most := 1_000_000
	if s := os.Getenv("SECONDGATE_RECORDS"); s != "" {
		_, err := fmt.Sscan(s, &most)
		require.NoError(b, err)
	}
	db, err := sql.Open("pgx", servers.PostgreSQL(b).PostgreSQLDSN())
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	nations := []*nation{newNation(b, db, 1000), newNation(b, db, most+1)}
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			for _, c := range nations {
				c.took, c.signedIn, c.listed, c.searched = 0, nil, nil, nil
			}
			for b.Loop() {
				for _, c := range nations {
					c.signIns(b, workers)
					read := c.administration(b)
					c.listed = append(c.listed, read("/admin/mfa/api/users?limit=50"))
					c.searched = append(c.searched, read("/admin/mfa/api/users?limit=50&text=c"))
				}
			}
			few, many := nations[0], nations[1]
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(few.took.Seconds()/many.took.Seconds(), "of-1k")
			b.ReportMetric(float64(len(many.signedIn))/many.took.Seconds(), "sign-ins/s")
			many.reportTimes(b, "")
			few.reportTimes(b, "1k-")
		})
	}
	nations[1].reportAll(b)
}

// reportAll makes the report once, and says what the records take.
func (c *nation) reportAll(b *testing.B) {
	b.Helper()
	began := time.Now()
	r, err := c.m.Admin(mfa.System("report"), "").Report(b.Context())
	took := time.Since(began)
	require.NoError(b, err)
	require.Equal(b, c.n, r.Groups[0].Enrolled)
	b.Run("report", func(b *testing.B) {
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(took.Seconds(), "s")
		b.ReportMetric(float64(c.n)/took.Seconds(), "users/s")
		for unit, of := range map[string]string{"table": "pg_table_size",
			"index": "pg_indexes_size"} {
			var size float64
			require.NoError(b, c.db.QueryRow("SELECT "+of+"($1)", c.table).Scan(&size))
			b.ReportMetric(size/float64(c.n), unit+"-B/user")
		}
	})
}

func (c *nation) reportTimes(b *testing.B, prefix string) {
	b.Helper()
	for name, each := range map[string][]time.Duration{"sign-in": c.signedIn, "list": c.listed,
		"search": c.searched} {
		slices.Sort(each)
		b.ReportMetric(percentile(each, 0.5), prefix+name+"-p50-ms")
		b.ReportMetric(percentile(each, 0.99), prefix+name+"-p99-ms")
	}
}

func newNation(b *testing.B, db *sql.DB, n int) *nation {
	b.Helper()
	c := &nation{world: newWorld(b, nil), db: db, n: n, table: fmt.Sprint("records_", n)}
	c.secret = appKey
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL, Table: c.table}
	require.NoError(b, sqlstore.Migrate(b.Context(), cfg))
	c.settle(b)
	store, err := sqlstore.New(b.Context(), cfg)
	require.NoError(b, err)
	c.m = c.manager(store)
	for _, statement := range []string{
		"CREATE TABLE users_%d (id text COLLATE \"C\" PRIMARY KEY)",
		"INSERT INTO users_%d SELECT md5(i::text) FROM generate_series(0, %[1]d - 1) i",
		"VACUUM ANALYZE users_%d", "VACUUM ANALYZE records_%d", "CHECKPOINT",
	} {
		if statement != "CHECKPOINT" {
			statement = fmt.Sprintf(statement, n)
		}
		_, err := db.Exec(statement)
		require.NoError(b, err)
	}
	return c
}

// copied is a store without records that hands on what is written.
type copied struct{ rows chan<- []any }

func (c copied) Get(context.Context, string) (storage.Record, error) {
	return storage.Record{}, storage.ErrNotFound
}

func (c copied) Swap(
	_ context.Context, key string, _ storage.Revision, next storage.Record,
) error {
	c.rows <- []any{[]byte(key), []byte(next.Revision), next.Data, time.Now()}
	return nil
}

func (c copied) Delete(context.Context, string, storage.Revision) error {
	return errors.ErrUnsupported
}

// settle imports the users, and writes their records by COPY.
func (c *nation) settle(b *testing.B) {
	b.Helper()
	rows := make(chan []any, 1000)
	by := c.manager(copied{rows}).Admin(mfa.System("import"), "")
	app := []mfa.EnrollRequest{{Kind: "totp",
		Params: map[string]secret.Text{"secret": secret.New(appKey)}}}
	began := time.Now()
	go func() {
		defer close(rows)
		inParallel(b, 2, c.n, func(i int) error {
			_, err := by.Import(b.Context(), mfa.User{ID: citizen(i)}, app)
			return err
		})
	}()
	conn, err := c.db.Conn(b.Context())
	require.NoError(b, err)
	defer func() { _ = conn.Close() }()
	require.NoError(b, conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(b.Context(), pgx.Identifier{c.table},
			[]string{"key", "revision", "data", "updated_at"},
			pgx.CopyFromFunc(func() ([]any, error) { return <-rows, nil }))
		return err
	}))
	b.Logf("%d users in %s", c.n, time.Since(began).Round(time.Millisecond))
}

// signIns signs in users from the whole of the table, with Begin and Verify.
func (c *nation) signIns(b *testing.B, workers int) {
	b.Helper()
	c.clock.Advance(time.Minute)
	code, first := c.shown(), c.next
	c.next += crowded
	took, each := inParallel(b, workers, crowded, func(i int) error {
		s := c.m.Session(mfa.User{ID: citizen((first + i) * 7919 % c.n)}, binding)
		ch, err := s.Begin(context.Background())
		if err == nil {
			_, err = s.Verify(context.Background(), ch, "totp", code)
		}
		return err
	})
	c.took, c.signedIn = c.took+took, append(c.signedIn, each...)
}

// Search implements [admin.Directory]: it finds IDs by how they begin, for which there is an index.
func (c *nation) Search(ctx context.Context, q admin.Query) (p admin.Page, err error) {
	rows, err := c.db.QueryContext(ctx, fmt.Sprintf("SELECT id FROM users_%d WHERE id > $1 AND "+
		"id >= $2 AND id < $2 || 'g' ORDER BY id LIMIT $3", c.n), q.Cursor, q.Text, q.Limit)
	if err != nil {
		return p, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var u mfa.User
		if err := rows.Scan(&u.ID); err != nil {
			return p, err
		}
		p.Users = append(p.Users, admin.Entry{User: u})
	}
	if len(p.Users) == q.Limit {
		p.Next = p.Users[q.Limit-1].User.ID
	}
	return p, rows.Err()
}

// User implements [admin.Directory].
func (c *nation) User(_ context.Context, named mfa.User) (admin.Entry, error) {
	return admin.Entry{User: named}, nil
}

// administration serves the administration to a user who has signed in, and returns what reads a
// path of it.
func (c *nation) administration(b *testing.B) (read func(path string) time.Duration) {
	b.Helper()
	id := mfahttp.Identity{User: mfa.User{ID: citizen(0)}, SessionID: binding}
	h, err := mfahttp.New(mfahttp.Config{Manager: c.m, Keys: c.keys, Clock: c.clock,
		Identify: func(*http.Request) (mfahttp.Identity, error) { return id, nil }})
	require.NoError(b, err)
	a, err := admin.New(admin.Config{Handler: h, Manager: c.m, Users: c})
	require.NoError(b, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", h)
	mux.Handle("/admin/mfa/", a)
	mux.Handle("POST /begin", handle(func(w http.ResponseWriter, r *http.Request) (any, error) {
		_, err := h.Begin(w, r, id)
		return pair{}, err
	}))
	site := serve(b, mux, "/begin", "/mfa/api/verify")
	c.clock.Advance(time.Minute) // the user may have signed in just now
	cookies, err := site.post(site.begin, id.User, nil, new(pair))
	require.NoError(b, err)
	proof, err := site.post(site.verify, id.User, cookies,
		&pair{Kind: "totp", Code: c.shown().Reveal()})
	require.NoError(b, err)
	return func(path string) time.Duration {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for _, cookie := range proof {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		began := time.Now()
		mux.ServeHTTP(w, r)
		took := time.Since(began)
		require.Equal(b, http.StatusOK, w.Code, w.Body)
		var list struct{ Users []struct{ Enrolled []string } }
		require.NoError(b, json.Unmarshal(w.Body.Bytes(), &list))
		require.NotEmpty(b, list.Users)
		require.Equal(b, []string{"totp"}, list.Users[0].Enrolled)
		return took
	}
}
