package browser_test

import (
	"bufio"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A user verifies at the portal, and is let in by the application that trusts it, but not by
// the one that asks for its own code; in a browser, whose rules about forms and cookies count.
func TestPortal_SignsInToTheApplicationThatTrustsIt(t *testing.T) {
	needChromium(t)
	path := filepath.Join(t.TempDir(), "portal")
	out, err := exec.Command("go", "build", "-o", path,
		"github.com/secondgate/secondgate/examples/portal").CombinedOutput()
	require.NoError(t, err, "%s", out)
	both(t, func(t *testing.T, script bool) {
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
		var urls []string
		for lines := bufio.NewScanner(stdout); len(urls) < 3 && lines.Scan(); {
			_, u, _ := strings.Cut(lines.Text(), " on ")
			urls = append(urls, u)
		}
		require.Len(t, urls, 3)

		s := &site{t: t, base: urls[0]}
		b, mail := s.open(script), s.open(false)
		host := func() (h string) { b.eval(`location.origin`, &h); return h }
		code := func() {
			b.press(sendForm)
			mail.run(chromedp.Navigate(host() + "/outbox"))
			b.fill("code", sixDigits.FindString(mail.text("main")))
			b.run(chromedp.Click(`form[action="/mfa/verify"] button`, chromedp.ByQuery))
		}
		password := func() {
			b.fill("username", "ann")
			b.fill("password", "ann-demo-password")
			b.press(`form[action="/login"] button`)
		}
		b.run(chromedp.Navigate(urls[1] + "/"))
		require.Equal(t, urls[0], host(), "to the portal")
		password()
		code()
		b.run(chromedp.WaitVisible("#who", chromedp.ByQuery))
		require.Equal(t, urls[1], host(), "and back")
		require.Equal(t, "ann", b.text("#who"))
		b.run(chromedp.Navigate(urls[1] + "/delicate"))
		b.run(chromedp.WaitVisible("#who", chromedp.ByQuery))
		require.Contains(t, b.text("main"), "delete everything")
		b.run(chromedp.Navigate(urls[2] + "/"))
		require.Equal(t, urls[2], host(), "the files application asks for itself")
		password()
		require.Contains(t, b.path(), "/mfa/verify")
	})
}
