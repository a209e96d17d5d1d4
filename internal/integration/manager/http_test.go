package manager_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// pair is the two requests of the second step of a sign-in.
type pair struct {
	Challenge *mfa.Challenge `json:"challenge,omitempty"`
	Kind      string         `json:"kind,omitempty"`
	Code      string         `json:"code,omitempty"`
}

// site serves the second step of a sign-in over HTTP, by one request to begin and one to verify.
type site struct {
	url, begin, verify string
	session            string // "" is that of binding
	handler            http.Handler
	client             *http.Client
}

func serve(b testing.TB, h http.Handler, begin, verify string) *site {
	b.Helper()
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return &site{url: server.URL, begin: begin, verify: verify, handler: h,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// post makes one request for a user and reads the response into p. The status must be 200.
func (s *site) post(path string, u mfa.User, cookies []*http.Cookie, p *pair) (
	[]*http.Cookie, error,
) {
	return s.exchange(path, u, cookies, p, p)
}

// exchange posts what is sent as JSON, and reads the response into got. The status must be 200.
func (s *site) exchange(path string, u mfa.User, cookies []*http.Cookie, sent, got any) (
	[]*http.Cookie, error,
) {
	body, err := json.Marshal(sent)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User", u.ID)
	r.Header.Set("Session", s.session)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	a, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Body.Close() }()
	body, err = io.ReadAll(a.Body)
	if err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, a.Status, body)
	}
	if err == nil {
		err = json.Unmarshal(body, got)
	}
	return a.Cookies(), err
}

// signIn makes both requests.
func (s *site) signIn(u mfa.User, code secret.Text) error {
	var p pair
	cookies, err := s.post(s.begin, u, nil, &p)
	if err != nil {
		return err
	}
	p.Kind, p.Code = "totp", code.Reveal()
	_, err = s.post(s.verify, u, cookies, &p)
	return err
}

// handle is a route whose response is JSON.
func handle(do func(w http.ResponseWriter, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := do(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}
}

// floor has the statements of a sign-in alone: one read to begin, one read and one conditional
// update to verify.
func floor(b testing.TB, db *sql.DB, users []mfa.User) *site {
	b.Helper()
	schema, err := sqlstore.Schema(sqlstore.PostgreSQL, "bare")
	require.NoError(b, err)
	_, err = db.Exec(schema)
	require.NoError(b, err)
	for _, u := range users {
		_, err := db.Exec("INSERT INTO bare (key, revision, data, updated_at) VALUES ($1, $2, $3, "+
			"CURRENT_TIMESTAMP)", []byte(u.ID), []byte("0"), make([]byte, recordSize))
		require.NoError(b, err)
	}
	read := func(r *http.Request) (revision, data []byte, err error) {
		err = db.QueryRowContext(r.Context(), "SELECT revision, data FROM bare WHERE key = $1",
			[]byte(r.Header.Get("User"))).Scan(&revision, &data)
		return revision, data, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /begin", handle(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		_, _, err := read(r)
		return pair{}, err
	}))
	mux.Handle("POST /verify", handle(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		revision, data, err := read(r)
		if err != nil {
			return nil, err
		}
		done, err := db.ExecContext(r.Context(), "UPDATE bare SET revision = $1, data = $2, "+
			"updated_at = CURRENT_TIMESTAMP WHERE key = $3 AND revision = $4",
			[]byte(rand.Text()), data, []byte(r.Header.Get("User")), revision)
		if err != nil {
			return nil, err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return nil, fmt.Errorf("%d rows, %w", n, err)
		}
		return pair{}, nil
	}))
	return serve(b, mux, "/begin", "/verify")
}

// core has Begin and Verify behind two routes.
func core(b testing.TB, m *mfa.Manager) *site {
	b.Helper()
	mux := http.NewServeMux()
	session := func(r *http.Request) mfa.Session {
		return m.Session(mfa.User{ID: r.Header.Get("User")}, binding)
	}
	mux.Handle("POST /begin", handle(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		ch, err := session(r).Begin(r.Context())
		return pair{Challenge: ch}, err
	}))
	mux.Handle("POST /verify", handle(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		var p pair
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			return nil, err
		}
		_, err := session(r).Verify(r.Context(), p.Challenge, p.Kind, secret.New(p.Code))
		return pair{}, err
	}))
	return serve(b, mux, "/begin", "/verify")
}

// jsonAPI has the sign-in of an application that calls Handler.Begin, and the JSON API.
func (c *crowd) jsonAPI(b testing.TB, m *mfa.Manager) *site {
	b.Helper()
	identify := func(r *http.Request) (mfahttp.Identity, error) {
		return mfahttp.Identity{User: mfa.User{ID: r.Header.Get("User")},
			SessionID: cmp.Or(r.Header.Get("Session"), binding)}, nil
	}
	h, err := mfahttp.New(mfahttp.Config{Manager: m, Keys: c.keys, Clock: c.clock,
		Identify: identify})
	require.NoError(b, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", h)
	mux.Handle("POST /begin", handle(func(w http.ResponseWriter, r *http.Request) (any, error) {
		id, err := identify(r)
		if err != nil {
			return nil, err
		}
		_, err = h.Begin(w, r, id)
		return pair{}, err
	}))
	return serve(b, mux, "/begin", "/mfa/api/verify")
}

// BenchmarkHTTP is the second step of a sign-in over HTTP and PostgreSQL, in two requests: with
// the statements alone, with Begin and Verify between them, and with the JSON API, each also
// with mfa.Config.RecentRecords, which saves one of the three statements. They take turns: of-floor
// is the throughput as a share of that of the statements.
func BenchmarkHTTP(b *testing.B) {
	dsn := servers.PostgreSQL(b).PostgreSQLDSN()
	connect := func() *sql.DB {
		db, err := sql.Open("pgx", dsn)
		require.NoError(b, err)
		b.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(16)
		return db
	}
	open := func() storage.Store {
		cfg := sqlstore.Config{DB: connect(), Dialect: sqlstore.PostgreSQL}
		require.NoError(b, sqlstore.Migrate(b.Context(), cfg))
		s, err := sqlstore.New(b.Context(), cfg)
		require.NoError(b, err)
		return s
	}
	store := open()
	users := newCrowd(b, store, crowded)
	recent := users.manager(store, func(c *mfa.Config) { c.RecentRecords = crowded })
	sites := []*site{floor(b, connect(), users.users), core(b, users.m), users.jsonAPI(b, users.m),
		core(b, recent), users.jsonAPI(b, recent)}
	names := []string{"floor", "core", "api", "recent-core", "recent-api"}
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			took := make([]time.Duration, len(sites))
			each := make([][]time.Duration, len(sites))
			for b.Loop() {
				for i, s := range sites {
					all, latencies := users.signIns(b, workers, s)
					took[i], each[i] = took[i]+all, append(each[i], latencies...)
				}
			}
			b.ReportMetric(0, "ns/op")
			for i, name := range names {
				slices.Sort(each[i])
				b.ReportMetric(float64(len(each[i]))/took[i].Seconds(), name+"/s")
				b.ReportMetric(percentile(each[i], 0.5), name+"-p50-ms")
				b.ReportMetric(percentile(each[i], 0.99), name+"-p99-ms")
				if i > 0 {
					b.ReportMetric(took[0].Seconds()/took[i].Seconds(), name+"-of-floor")
				}
			}
		})
	}
}

// signIns signs every user in once.
func (c *crowd) signIns(b testing.TB, workers int, s *site) (time.Duration, []time.Duration) {
	b.Helper()
	c.clock.Advance(time.Minute)
	codes := make([]secret.Text, len(c.users))
	for i := range codes {
		codes[i] = c.code(i)
	}
	return inParallel(b, workers, len(c.users), func(i int) error {
		return s.signIn(c.users[i], codes[i])
	})
}
