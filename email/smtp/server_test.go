package smtp_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email/smtp"
)

// script is a server that says what a test wants it to: what a real one would say seldom, or
// in an order that is hard to bring about. (A real one is in internal/integration/mail.)
type script struct {
	// replies is the reply to a command, by its verb; "greeting" and "body" are verbs too.
	// "silence" replies nothing, "hang up" closes the connection.
	replies map[string]string
	offers  []string // extensions, besides STARTTLS
	asks    int      // how often an authentication is asked for more
	// iterations are those that SCRAM asks for.
	iterations string
	security   smtp.Security
	host       string // 127.0.0.1 unless it is set

	port  int
	roots *x509.CertPool
	ended chan struct{} // one for each connection that the client closed
	quiet chan struct{} // one for each silence that began

	mu    sync.Mutex
	lines []string // commands, in order; authentication as it came
	body  string
}

func (s *script) start(t *testing.T) *script {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	s.roots, s.ended = x509.NewCertPool(), make(chan struct{}, 8)
	s.quiet = make(chan struct{}, 8)
	s.roots.AddCert(cert)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der},
		PrivateKey: key}}}

	if s.host == "" {
		s.host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(s.host, "0"))
	if err != nil && s.host == "::1" {
		t.Skip("there is no IPv6 here")
	}
	require.NoError(t, err)
	s.port = listener.Addr().(*net.TCPAddr).Port
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = raw.Close() }()
				over := make(chan struct{})
				defer close(over)
				wg.Go(func() {
					select {
					case <-stop:
						_ = raw.Close()
					case <-over:
					}
				})
				conn := raw
				if s.security == smtp.TLS {
					conn = tls.Server(raw, config)
				}
				s.converse(conn, config)
				_, _ = io.Copy(io.Discard, conn) // until the client closes
				s.ended <- struct{}{}
			})
		}
	})
	t.Cleanup(func() {
		close(stop)
		_ = listener.Close()
		wg.Wait()
	})
	return s
}

// say replies to verb, or with usual; false means that the conversation is over.
func (s *script) say(w io.Writer, verb, usual string) bool {
	reply, ok := s.replies[verb]
	if !ok {
		reply = usual
	}
	switch reply {
	case "silence":
		s.quiet <- struct{}{}
		return false
	case "hang up":
		if c, ok := w.(io.Closer); ok {
			_ = c.Close()
		}
		return false
	}
	_, err := io.WriteString(w, reply+"\r\n")
	return err == nil
}

// challenge asks for as many iterations as the script says, and reads what the client makes of it.
func (s *script) challenge(conn net.Conn, r *bufio.Reader) bool {
	_, _ = io.WriteString(conn, "334 \r\n")
	first, _ := r.ReadString('\n')
	plain, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(first))
	_, nonce, _ := strings.Cut(string(plain), ",r=")
	_, _ = io.WriteString(conn, "334 "+base64.StdEncoding.EncodeToString(
		[]byte("r="+nonce+"x,s=c2FsdA==,i="+s.iterations))+"\r\n")
	proof, err := r.ReadString('\n')
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, strings.TrimSpace(proof))
	return err == nil
}

func (s *script) converse(conn net.Conn, config *tls.Config) {
	if !s.say(conn, "greeting", "220 ready") {
		return
	}
	r := bufio.NewReader(conn)
	secure := s.security == smtp.TLS
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		verb, rest, _ := strings.Cut(line, " ")
		usual := "250 fine"
		switch verb {
		case "EHLO":
			offers := s.offers
			if s.security == smtp.StartTLS && !secure {
				offers = []string{"STARTTLS"}
			}
			usual = "250-localhost\r\n"
			for _, o := range offers {
				usual += "250-" + o + "\r\n"
			}
			usual += "250 ENHANCEDSTATUSCODES"
		case "STARTTLS", "QUIT":
			usual = map[string]string{"STARTTLS": "220 go ahead", "QUIT": "221 bye"}[verb]
		case "DATA":
			usual = "354 go ahead"
		case "AUTH":
			usual = "235 welcome"
			if strings.HasPrefix(rest, "SCRAM-") {
				if !s.challenge(conn, r) {
					return
				}
			}
			if rest == "LOGIN" {
				for _, ask := range []string{"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"} {
					_, _ = io.WriteString(conn, ask+"\r\n")
					line, _ := r.ReadString('\n')
					s.mu.Lock()
					s.lines = append(s.lines, strings.TrimSpace(line))
					s.mu.Unlock()
				}
			}
		}
		if !s.say(conn, verb, usual) {
			return
		}
		for range s.asks {
			if verb != "AUTH" {
				break
			}
			if _, err := r.ReadString('\n'); err != nil || !s.say(conn, verb, usual) {
				return
			}
		}
		reply, scripted := s.replies[verb]
		switch {
		case verb == "QUIT":
			return
		case verb == "STARTTLS" && !scripted:
			conn, secure = tls.Server(conn, config), true
			r = bufio.NewReader(conn)
		case verb == "DATA" && (!scripted || strings.HasPrefix(reply, "354")):
			var body strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				body.WriteString(line)
			}
			s.mu.Lock()
			s.body = body.String()
			s.mu.Unlock()
			if !s.say(conn, "body", "250 accepted") {
				return
			}
		}
	}
}

func (s *script) config() smtp.Config {
	return smtp.Config{Host: s.host, Port: s.port, Security: s.security,
		From:      "Acme <no-reply@acme.example>",
		TLSConfig: &tls.Config{RootCAs: s.roots}, Timeout: 2 * time.Minute}
}

// said is what the client sent outside of the mail's text.
func (s *script) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func (s *script) mail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body
}

// requireEnded: the client has closed its connection.
func (s *script) requireEnded(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		t.Fatal("the connection was left open")
	}
}
