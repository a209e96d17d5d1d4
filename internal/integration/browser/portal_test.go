package browser_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
)

// portalProgram is examples/portal, built once.
var portalProgram = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "portal")
	return path, programs.Build(path, "examples/portal")
})

// startPortal runs examples/portal, and returns the addresses of the portal, the mail application
// and the files application.
func startPortal(t *testing.T) (urls []string) {
	t.Helper()
	path, err := portalProgram()
	require.NoError(t, err)
	cmd := exec.Command(path, "-portal", "127.0.0.1:0", "-mail", "127.0.0.1:0", "-files",
		"127.0.0.1:0")
	cmd.Stderr = io.Discard
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(stdout); len(urls) < 3 && lines.Scan(); {
		_, u, _ := strings.Cut(lines.Text(), " on ")
		urls = append(urls, u)
	}
	require.Len(t, urls, 3)
	return urls
}

func (b *tab) origin() (o string) { b.eval(`location.origin`, &o); return o }

// portalPassword gives ann's password to an application.
func (b *tab) portalPassword() {
	b.t.Helper()
	b.fill("username", "ann")
	b.fill("password", "ann-demo-password")
	b.press(`form[action="/login"] button`)
}

// portalMail signs in to the mail application by the portal.
func (b *tab) portalMail(urls []string) {
	b.t.Helper()
	b.goes(urls[1] + "/")
	require.Equal(b.t, urls[0], b.origin(), "to the portal")
	b.portalPassword()
	b.press(sendForm)
	outbox := b.open(false)
	outbox.goes(urls[0] + "/outbox")
	b.fill("code", sixDigits.FindString(outbox.text("main")))
	b.click(`form[action="/mfa/verify"] button`)
	b.becomes(`document.querySelector("#who")?.checkVisibility()`, "the mail application")
	require.Equal(b.t, urls[1], b.origin(), "and back")
}

// A user verifies at the portal, and is let in by the application that trusts it, but not by
// the one that asks for its own code; in a browser, whose rules about forms and cookies count.
func TestPortal_SignsInToTheApplicationThatTrustsIt(t *testing.T) {
	needChromium(t)
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		urls := startPortal(t)
		b := in.at(t, urls[0]).open(in.script)
		b.portalMail(urls)
		require.Equal(t, "ann", b.text("#who"))
		b.goes(urls[1] + "/delicate")
		b.becomes(`document.querySelector("#who")?.checkVisibility()`, "the mail application")
		require.Contains(t, b.text("main"), "delete everything")
		b.goes(urls[2] + "/")
		require.Equal(t, urls[2], b.origin(), "the files application asks for itself")
		b.portalPassword()
		require.Contains(t, b.path(), "/mfa/verify")
	})
}

// Nothing on the pages of the portal and of its mail application is cut off or wider than the
// window, in the language with the longest words; make test-long looks at those of a signed-in user
// as well. SECONDGATE_SCREENSHOTS names a directory for pictures of all of them, and
// SECONDGATE_SCREENSHOTS_IN other languages.
func TestPortal_FitsEveryWindow(t *testing.T) {
	needChromium(t)
	urls, pictures := startPortal(t), os.Getenv("SECONDGATE_SCREENSHOTS") != ""
	visitor := browsing{script: true}.at(t, urls[0]).open(true)
	user := visitor.open(true)
	type page struct {
		b         *tab
		url, name string
	}
	pages := []page{{visitor, urls[0] + "/login", "portal-login"},
		{visitor, urls[1] + "/goodbye", "mail-goodbye"}}
	if pictures || atLength() {
		user.portalMail(urls)
		pages = append(pages, page{user, urls[0] + "/", "portal"},
			page{user, urls[0] + "/outbox", "portal-outbox"}, page{user, urls[1] + "/", "mail"},
			page{user, urls[1] + "/delicate", "mail-delicate"},
			page{visitor, urls[1] + "/callback?state=x", "mail-refused"})
	}
	languages := []string{longestWords}
	if pictures {
		languages = pictured(longestWords, "ar", "de")
	}
	for _, lang := range languages {
		for _, p := range pages {
			p.b.run(usual.apply(), language(lang))
			p.b.goes(p.url)
			p.b.fitsHere(p.name)
		}
	}
	visitor.run(usual.apply())
	user.run(usual.apply())
}
