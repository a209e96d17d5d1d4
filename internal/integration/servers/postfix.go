package servers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/secondgate/secondgate/internal/freeport"
)

// Mail is a running Postfix, which asks a running Dovecot about passwords and tokens. Its user
// "acme" has the password "tulip-password". It takes mail for ann@example.com, other forms of that
// name and ann@intranet, and relays none without authentication.
type Mail struct {
	*Server
	ports map[string]int
}

// mailServices are the services of Mail by name, with their settings. Each has a port of its own.
var mailServices = map[string]string{
	"plain": "",
	"strict": "smtpd_helo_required=yes " +
		"smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname",
	"ascii":         "smtputf8_enable=no",
	"plain-auth":    "smtpd_sasl_mechanism_filter=plain",
	"login":         "smtpd_sasl_mechanism_filter=login broken_sasl_auth_clients=yes",
	"scram-sha-256": "smtpd_sasl_mechanism_filter=scram-sha-256",
	"scram-sha-1":   "smtpd_sasl_mechanism_filter=scram-sha-1",
	"cram-md5":      "smtpd_sasl_mechanism_filter=cram-md5",
	"xoauth2":       "smtpd_sasl_mechanism_filter=xoauth2",
	"oauthbearer":   "smtpd_sasl_mechanism_filter=oauthbearer",
	"members":       "smtpd_client_restrictions=permit_sasl_authenticated,reject",
}

// Port returns the port of a service.
func (m *Mail) Port(service string) int { return m.ports[service] }

// Received returns the mails that a mailbox has.
func (m *Mail) Received(mailbox string) (mails []string) {
	m.t.Helper()
	files, _ := filepath.Glob(filepath.Join(m.Dir, "mail", mailbox, "new", "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			m.t.Fatal(err)
		}
		mails = append(mails, string(text))
	}
	return mails
}

// Postfix starts both. tokens is the URL of a service that, given an access token at the end of
// the URL, says in JSON whose it is. Postfix starts as root alone.
func Postfix(t testing.TB, tokens string) *Mail {
	t.Helper()
	postfix, dovecot := need(t, "postfix", "/usr/sbin"), need(t, "dovecot", "/usr/sbin")
	if os.Getuid() != 0 {
		t.Skip("Postfix starts as root alone")
	}
	auth := newDovecot(t, dovecot, tokens)
	m := &Mail{Server: newServer(t), ports: make(map[string]int)}
	m.configure(filepath.Join(auth.Dir, "auth"))
	config := filepath.Join(m.Dir, "etc")
	m.start = func(s *Server) *exec.Cmd {
		return s.asRoot(postfix, "-c", config, "start-fg")
	}
	m.ready = func(*Server) error {
		// Postfix listens at one port after the other.
		for _, port := range m.ports {
			if err := dial(port); err != nil {
				return err
			}
		}
		return nil
	}
	m.Start()
	return m
}

func dial(port int) error {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// asRoot makes a command that runs as the test does, and dies with it.
func (s *Server) asRoot(name string, args ...string) *exec.Cmd {
	cmd := s.command(name, args...)
	cmd.SysProcAttr.Credential = nil
	return cmd
}

// write writes a file that every user may read.
func (s *Server) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // see above
		s.t.Fatal(err)
	}
}

func (m *Mail) configure(auth string) {
	m.t.Helper()
	var master strings.Builder
	for name, settings := range mailServices {
		m.ports[name] = freeport.Reserve(m.t)
		fmt.Fprintf(&master, "127.0.0.1:%d inet n - n - - smtpd", m.ports[name])
		for setting := range strings.FieldsSeq(settings) {
			master.WriteString(" -o " + setting)
		}
		master.WriteString("\n")
	}
	master.WriteString(mailInternals)
	m.write("etc/master.cf", master.String())
	m.write("etc/main.cf", strings.NewReplacer("DIR", m.Dir, "AUTH", auth).Replace(mailSettings))
	m.run("chmod", "755", m.Dir)
	for dir, owner := range map[string]string{"queue": "root", "data": "postfix",
		"mail": "nobody"} {
		if err := os.Mkdir(filepath.Join(m.Dir, dir), 0o755); err != nil {
			m.t.Fatal(err)
		}
		out, err := m.asRoot("chown", owner, filepath.Join(m.Dir, dir)).CombinedOutput()
		if err != nil {
			m.t.Fatalf("chown: %v\n%s", err, out)
		}
	}
}

const mailSettings = `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = mx.acme.example
mydestination =
mynetworks =
inet_protocols = ipv4
alias_maps =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
virtual_mailbox_domains = example.com xn--bcher-kva.example intranet
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = inline:{ ann@example.com=ann/ ann@xn--bcher-kva.example=ann/ ann@intranet=ann/ names@example.com=names/ ann..b@example.com=dots/ ann.@example.com=dots/ josé@example.com=letters/ 用户@example.com=letters/ josé@xn--bcher-kva.example=letters/ josé@bücher.example=letters/ }
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = AUTH
smtpd_sasl_security_options = noanonymous
default_transport = error
`

const mailInternals = `postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
`

// newDovecot starts a Dovecot that has no mail, and says whether a password or a token is correct.
func newDovecot(t testing.TB, dovecot, tokens string) *Server {
	t.Helper()
	s := newServer(t)
	s.stop = syscall.SIGTERM
	s.run("chmod", "755", s.Dir)
	s.write("users", "acme:{PLAIN}tulip-password\n")
	s.write("oauth2.conf", "tokeninfo_url = "+tokens+"\nusername_attribute = email\n"+
		"timeout_msecs = 20000\n")
	s.write("dovecot.conf", strings.ReplaceAll(dovecotSettings, "DIR", s.Dir))
	s.start = func(s *Server) *exec.Cmd {
		return s.asRoot(dovecot, "-F", "-c", filepath.Join(s.Dir, "dovecot.conf"))
	}
	s.ready = func(s *Server) error {
		conn, err := net.Dial("unix", filepath.Join(s.Dir, "auth"))
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	s.Start()
	return s
}

const dovecotSettings = `protocols =
base_dir = DIR/run
state_dir = DIR/state
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = DIR/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = DIR/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=DIR
}
service auth {
  unix_listener DIR/auth {
    mode = 0666
  }
}
`
