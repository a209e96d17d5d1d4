package servers

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a client and a server, and does to their connections what networks do.
type Proxy struct {
	// Addr is where clients connect.
	Addr string

	target string
	l      net.Listener

	mu      sync.Mutex
	delay   time.Duration
	refuse  bool
	refuses func(client net.Conn) bool
	hang    chan struct{} // closed when data flows again; nil while it does
	open    map[net.Conn]bool
	running sync.WaitGroup
}

// NewProxy starts a proxy to a server's address.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, l: l, open: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		p.Hang(false)
		_ = l.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Cut breaks all connections, in the middle of whatever they carry.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, not an end
		}
		_ = c.Close()
	}
}

// Delay makes everything take longer, in each direction.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Refuse closes new connections at once.
func (p *Proxy) Refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = on
}

// refuseFrom closes new connections at once for which f returns true; nil is for none.
func (p *Proxy) refuseFrom(f func(client net.Conn) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = f
}

// Hang lets nothing through, and breaks nothing.
func (p *Proxy) Hang(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case on && p.hang == nil:
		p.hang = make(chan struct{})
	case !on && p.hang != nil:
		close(p.hang)
		p.hang = nil
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse, refuses := p.refuse, p.refuses
		p.mu.Unlock()
		if refuse || refuses != nil && refuses(client) {
			_ = client.Close()
			continue
		}
		server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = true, true
		p.mu.Unlock()
		var both sync.WaitGroup
		both.Go(func() { p.carry(server, client) })
		both.Go(func() { p.carry(client, server) })
		p.running.Go(func() {
			both.Wait()
			p.mu.Lock()
			delete(p.open, client)
			delete(p.open, server)
			p.mu.Unlock()
		})
	}
}

// carry copies until one side ends, and then ends the other.
func (p *Proxy) carry(to, from net.Conn) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		delay, hang := p.delay, p.hang
		p.mu.Unlock()
		if hang != nil {
			<-hang
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
