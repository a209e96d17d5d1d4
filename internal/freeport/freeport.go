// Package freeport gives tests ports for programs that cannot choose one themselves, and ports at
// which nothing listens.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports are below those that systems give to clients and to listeners at port 0: from 32768 on
// in Linux, from 49152 on elsewhere (RFC 6335 section 6).
const (
	lowest  = 12_000
	highest = 31_999
)

// Reserve returns a port of 127.0.0.1 at which nothing listens. No other caller gets it until t
// ends, in this process or in another one.
func Reserve(t testing.TB) int {
	t.Helper()
	const pairs = (highest - lowest + 1) / 2
	first := rand.IntN(pairs)
	for i := range pairs {
		port := lowest + 2*((first+i)%pairs)
		if mark, ok := take(port); ok {
			t.Cleanup(func() { _ = mark.Close() })
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// take reserves a port until the mark is closed, unless it is in use. The mark listens at the port
// above it, which tells other processes that both are reserved.
func take(port int) (mark net.Listener, ok bool) {
	mark, err := listen(port + 1)
	if err != nil {
		return nil, false
	}
	l, err := listen(port)
	if err != nil {
		_ = mark.Close()
		return nil, false
	}
	_ = l.Close()
	return mark, true
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
