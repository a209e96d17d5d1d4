package redisstore_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// The store is tested against real servers, alone and in a cluster, in internal/integration.
// Here are replies that no server of ours gives.

// healthy replies to what New asks, and what List asks of the server.
func healthy(args []any) (any, bool) {
	switch args[0] {
	case "CONFIG":
		return map[string]any{"maxmemory-policy": "noeviction", "appendonly": "yes",
			"appendfsync": "always"}, true
	case "INFO":
		return "# Server\r\nredis_mode:standalone\r\nrun_id:4f2a\r\nrole:master\r\n", true
	case "HMGET":
		if args[1] == "secondgate:" {
			return []any{nil, nil}, true
		}
	case "EVALSHA":
		if args[3] == "secondgate:" {
			return int64(0), true
		}
	}
	return nil, false
}

func open(t testing.TB, reply func(args []any) (any, error)) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(t.Context(), redisstore.Config{Do: func(_ context.Context,
		args ...any) (any, error) {
		for _, a := range args {
			if _, ok := a.(string); !ok {
				t.Errorf(
					"argument %v is a %T, want a string: clients differ in what else they take", a,
					a)
			}
		}
		if v, ok := healthy(args); ok {
			return v, nil
		}
		return reply(args)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Managed services forbid CONFIG and INFO, each in words of its own.
func TestNew_TakesARefusalInAnyWords(t *testing.T) {
	for _, words := range []string{
		"ERR unsupported command 'config'",
		"ERR Command is not available: 'CONFIG'. See the manual",
		"command not allowed",
		"ERR unknown command `CONFIG`, with args beginning with: `GET`",
		"NOPERM this user has no permissions to run the 'config|get' command",
	} {
		refuse := func(_ context.Context, args ...any) (any, error) {
			switch args[0] {
			case "CONFIG", "INFO":
				return nil, errors.New(words)
			case "PING":
				return "PONG", nil
			}
			v, _ := healthy(args)
			return v, nil
		}
		cfg := redisstore.Config{Do: refuse}
		_, err := redisstore.New(t.Context(), cfg)
		require.ErrorContains(t, err, "InsecureAllowEviction", words)
		cfg.InsecureAllowEviction = true
		_, err = redisstore.New(t.Context(), cfg)
		require.ErrorContains(t, err, "InsecureAllowLoss", words)
		cfg.InsecureAllowLoss = true
		_, err = redisstore.New(t.Context(), cfg)
		require.NoError(t, err, words)
	}
}

// An outage is no refusal: what a server is cannot be accepted unseen because a connection broke.
func TestNew_AnOutageIsNoRefusal(t *testing.T) {
	errOutage := errors.New("read tcp: connection reset by peer")
	for _, failures := range []int{1, 2, 1000} {
		asked := 0
		_, err := redisstore.New(t.Context(), redisstore.Config{
			InsecureAllowEviction: true, InsecureAllowLoss: true,
			Do: func(_ context.Context, args ...any) (any, error) {
				if asked++; asked <= failures {
					return nil, errOutage
				}
				if args[0] == "PING" {
					return "PONG", nil
				}
				v, _ := healthy(args)
				return v, nil
			}})
		require.ErrorIs(t, err, errOutage, failures)
	}
}

// A reply that makes no sense is an error, never a result.
func TestStore_OddRepliesAreErrors(t *testing.T) {
	for _, reply := range []any{nil, "", "OK", int64(2), int64(-1), 1, true, []any{}, []any{nil},
		[]any{"r", nil}, []any{nil, "d"},
		[]any{"", "d"}, []any{"r", ""}, []any{int64(1), "d"}, []any{"r", "d", "x"}, map[any]any{},
		[]any{nil, []any{}},
		[]any{"0", []any{int64(1)}}} {
		s := open(t, func([]any) (any, error) { return reply, nil })
		_, get := s.Get(t.Context(), "k")
		_, _, list := s.List(t.Context(), "", "", 1)
		for op, err := range map[string]error{"get": get, "list": list,
			"delete": s.Delete(t.Context(), "k", "r"),
			"swap": s.Swap(t.Context(), "k", "",
				storage.Record{Revision: "r", Data: []byte("x")})} {
			if err == nil || errors.Is(err, storage.ErrNotFound) ||
				errors.Is(err, storage.ErrConflict) {
				t.Errorf("%s with the reply %#v: %v, want an error that is no result", op,
					reply, err)
			}
		}
	}
}

// Clients hand out bulk strings as text or as bytes.
func TestGet_ReadsTextAndBytes(t *testing.T) {
	s := open(t, func([]any) (any, error) { return []any{[]byte("r"), []byte("data")}, nil })
	got, err := s.Get(t.Context(), "k")
	if err != nil || got.Revision != "r" || string(got.Data) != "data" {
		t.Errorf("%v, %v", got, err)
	}
}

// An error that mentions NOSCRIPT is followed by the script, once; any other is an error.
func TestScript_IsSentOnceAfterNOSCRIPT(t *testing.T) {
	var commands []string
	s := open(t, func(args []any) (any, error) {
		commands = append(commands, args[0].(string))
		return nil, errors.New("NOSCRIPT No matching script")
	})
	if err := s.Delete(t.Context(), "k", "r"); err == nil {
		t.Error("no error")
	}
	if got := strings.Join(commands, " "); got != "EVALSHA EVAL" {
		t.Errorf("sent %s", got)
	}
}

// Each prefix matches itself alone, whatever a pattern would make of its characters.
func FuzzListPrefix(f *testing.F) {
	for _, s := range []string{"", "a*", "[ab]", "[^a]", "\\", "a?", "p/4/a-b/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, prefix string) {
		s := open(t, func(args []any) (any, error) {
			pattern, _ := strings.CutPrefix(args[3].(string), "secondgate:")
			var plain strings.Builder
			for i := 0; i < len(pattern)-1; i++ {
				switch pattern[i] {
				case '\\':
					i++
				case '*', '?', '[', ']':
					t.Errorf("%q is not escaped in %q", pattern[i], pattern)
				}
				plain.WriteByte(pattern[i])
			}
			if plain.String() != prefix || pattern[len(pattern)-1] != '*' {
				t.Errorf("the pattern %q is not for %q", pattern, prefix)
			}
			return []any{"0", []any{}}, nil
		})
		if _, _, err := s.List(t.Context(), prefix, "", 10); err != nil {
			t.Error(err)
		}
	})
}

// Whatever comes as a cursor, it is refused or walked, and nothing breaks.
func FuzzCursor(f *testing.F) {
	_, cursor, err := open(f, func([]any) (any, error) {
		return []any{"7", []any{}}, nil
	}).List(f.Context(), "", "", 10)
	own := string(cursor)
	if err != nil || own == "" {
		f.Fatal(own, err)
	}
	for _, s := range []string{own, "1" + own[1:], "-1" + own[1:], "0:0", ":", "::",
		"0:0123456789abcdef:7", "0" + own, own + ":", own + "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		s := open(t, func([]any) (any, error) { return []any{"0", []any{}}, nil })
		_, _, err := s.List(t.Context(), "", storage.Cursor(cursor), 10)
		if err != nil && !errors.Is(err, storage.ErrInvalid) {
			t.Error(err)
		}
		if taken := cursor == "" || strings.HasPrefix(cursor, own[:len(own)-1]); err == nil &&
			!taken {
			t.Errorf("the cursor %q was walked", cursor)
		}
	})
}

// late is a context whose deadline is over and whose timer has not run yet, as happens on a
// busy machine.
type late struct {
	context.Context
	deadline time.Time
}

func (c late) Deadline() (time.Time, bool) { return c.deadline, true }

// A socket that timed out at the context's deadline is the context's deadline, also if the
// socket was first; one that timed out by itself is not.
func TestDeadline_OfTheSocketAndTheContext(t *testing.T) {
	s := open(t, func([]any) (any, error) { return nil, os.ErrDeadlineExceeded })
	_, err := s.Get(late{t.Context(), time.Now()}, "k")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("at the deadline: %v", err)
	}
	if _, err = s.Get(late{t.Context(), time.Now().Add(time.Hour)}, "k"); err == nil ||
		errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("long before it: %v", err)
	}
	if _, err = s.Get(t.Context(), "k"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without one: %v", err)
	}
}
