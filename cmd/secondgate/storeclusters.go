package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/secondgate/secondgate/storage/etcdstore"
	"github.com/secondgate/secondgate/storage/natsstore"
)

// serverPatience is how long a request to a cluster waits for a server. The client of etcd has no
// bound of its own.
const serverPatience = 10 * time.Second

// cluster is the URL of several servers, such as etcd://user:password@a:2379,b:2379/name.
type cluster struct {
	hosts          []string
	user, password string
	name           string // the path
	query          url.Values
}

var errClusterURL = fmt.Errorf("give the store as etcd://user:password@host:2379,host:2379/prefix "+
	"or nats://user:password@host:4222,host:4222/stream; %w", errUsage)

// readCluster reads the URL of a cluster. net/url refuses a list of hosts, so they are cut out.
func readCluster(where string) (cluster, error) {
	_, rest, ok := strings.Cut(where, "://")
	if !ok {
		return cluster{}, errClusterURL
	}
	authority, path, _ := strings.Cut(rest, "/")
	at := strings.LastIndex(authority, "@") + 1
	u, err := url.Parse("cluster://" + authority[:at] + "host/" + path)
	if err != nil || u.Fragment != "" {
		return cluster{}, errClusterURL
	}
	c := cluster{hosts: strings.Split(authority[at:], ","), user: u.User.Username(),
		name: strings.Trim(u.Path, "/"), query: u.Query()}
	c.password, _ = u.User.Password()
	for _, host := range c.hosts {
		if host == "" || strings.ContainsAny(host, " \\?#") {
			return cluster{}, errClusterURL
		}
	}
	return c, nil
}

// urls returns the hosts as URLs of a scheme, with a port where none is given.
func (c cluster) urls(scheme, port string) []string {
	list := make([]string, len(c.hosts))
	for i, host := range c.hosts {
		u := url.URL{Scheme: scheme, Host: host}
		if u.Port() == "" {
			u.Host += ":" + port
		}
		list[i] = u.String()
	}
	return list
}

// openEtcd opens the keys under the path of the URL.
func openEtcd(ctx context.Context, where string, _ use) (opened, error) {
	scheme := "http"
	if strings.HasPrefix(where, "etcd+tls:") {
		scheme = "https"
	}
	c, err := readCluster(where)
	if err != nil || len(c.query) > 0 {
		return opened{}, errClusterURL
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: c.urls(scheme, "2379"),
		Username: c.user, Password: c.password, DialTimeout: serverPatience,
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		// Once more where an authentication token has expired: package mfa decides what to do
		// after other errors.
		MaxUnaryRetries: 2,
		DialOptions:     []grpc.DialOption{grpc.WithChainUnaryInterceptor(boundCalls)},
		Logger:          zap.NewNop()}) // it prints to the terminal what the errors say
	if err != nil {
		return opened{}, fmt.Errorf("etcd: %w", err)
	}
	e := etcdEngine{client, cmp.Or(c.name, "secondgate") + "/"}
	if _, err := e.records(ctx); err != nil {
		return opened{}, errors.Join(fmt.Errorf("etcd: %w", err), client.Close())
	}
	return opened{etcdstore.New(client, e.prefix), e, client.Close}, nil
}

// boundCalls bounds how long a call waits for a server.
func boundCalls(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	return invoke(ctx, method, request, reply, conn, options...)
}

type etcdEngine struct {
	kv     clientv3.KV
	prefix string
}

func (etcdEngine) clock(context.Context) (now time.Time, ok bool, err error) { return }

func (etcdEngine) settings(context.Context) (map[string]string, error) {
	return map[string]string{"unsafe-no-fsync": ""}, nil
}

func (e etcdEngine) records(ctx context.Context) (int, error) {
	reply, err := e.kv.Get(ctx, e.prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return int(reply.Count), nil
}

// defaultReplicas survive the loss of one server.
const defaultReplicas = 3

// openNATS opens the stream that is the path of the URL. To create, it makes the stream, with as
// many replicas as the query says.
func openNATS(ctx context.Context, where string, want use) (opened, error) {
	scheme := "nats"
	if strings.HasPrefix(where, "nats+tls:") {
		scheme = "tls"
	}
	c, err := readCluster(where)
	if err != nil {
		return opened{}, err
	}
	name, replicas := cmp.Or(c.name, "secondgate"), defaultReplicas
	if given := c.query.Get("replicas"); given != "" {
		replicas, err = strconv.Atoi(given)
		c.query.Del("replicas")
	}
	if err != nil || replicas < 1 || len(c.query) > 0 {
		return opened{}, errClusterURL
	}
	options := []nats.Option{nats.Timeout(serverPatience), nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1), nats.PingInterval(2 * time.Second), nats.MaxPingsOutstanding(2)}
	if c.user != "" {
		options = append(options, nats.UserInfo(c.user, c.password))
	}
	conn, err := nats.Connect(strings.Join(c.urls(scheme, "4222"), ","), options...)
	if err != nil {
		return opened{}, fmt.Errorf("nats: %w", err)
	}
	closeConn := func() error { conn.Close(); return nil }
	store, e, err := openStream(ctx, conn, name, replicas, want == toCreate)
	if err != nil {
		conn.Close()
		return opened{}, err
	}
	return opened{store, e, closeConn}, nil
}

func openStream(
	ctx context.Context, conn *nats.Conn, name string, replicas int, create bool,
) (store *natsstore.Store, e natsEngine, err error) {
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(serverPatience))
	if err != nil {
		return nil, e, fmt.Errorf("nats: %w", err)
	}
	if !create {
		return streamOf(ctx, js, name)
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		// A stream without a leader loses the question.
		short, cancel := context.WithTimeout(ctx, serverPatience/4)
		store, e, err = streamOf(short, js, name)
		cancel()
		if !isForming(err) || time.Since(began) > 2*serverPatience || ctx.Err() != nil {
			return store, e, err
		}
		// Another init may be making it, with other replicas: it stays as it is.
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			_, err := js.CreateStream(ctx, natsstore.StreamConfig(name, replicas))
			if err != nil && !isForming(err) {
				return nil, e, fmt.Errorf("nats: a stream with %d replicas: %w", replicas, err)
			}
		}
	}
}

// isForming reports whether an error may be that of a stream which is being made. Until it has a
// leader that the servers agree on, they do not find it, refuse its name, or do not reply.
func isForming(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) ||
		errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) ||
		errors.Is(err, context.DeadlineExceeded)
}

// streamOf opens the stream of a name.
func streamOf(
	ctx context.Context, js jetstream.JetStream, name string,
) (store *natsstore.Store, e natsEngine, err error) {
	if store, err = natsstore.New(ctx, js, name); err != nil {
		return nil, e, err
	}
	e.stream, err = js.Stream(ctx, name)
	return store, e, err
}

type natsEngine struct{ stream jetstream.Stream }

func (natsEngine) clock(context.Context) (now time.Time, ok bool, err error) { return }

func (natsEngine) settings(context.Context) (map[string]string, error) {
	return map[string]string{"sync_interval": ""}, nil
}

// records counts the subjects, of which one is no record.
func (e natsEngine) records(ctx context.Context) (int, error) {
	info, err := e.stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	return max(0, int(info.State.NumSubjects)-1), nil //nolint:gosec // far below the limit
}
