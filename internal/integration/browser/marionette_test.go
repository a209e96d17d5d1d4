package browser_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// firefox is a process of Firefox that tests drive by Marionette, Firefox's own protocol. Each
// message is its length, a colon and JSON: [0, id, command, parameters] and [1, id, error, result].
type firefox struct {
	stop  func()
	conn  net.Conn
	in    *bufio.Reader
	asked int
	// home is the tab that Firefox starts with, and current the one that commands are for.
	home, current string
	// jars is how many sets of cookies there have been.
	jars int
}

// refused is what Firefox says about a command that it did not do.
type refused struct{ Code, Message string }

func (r *refused) Error() string { return r.Code + ": " + r.Message }

// sharedFirefox is the one process for all tests that drive Firefox, started by the first of them.
var sharedFirefox = sync.OnceValues(func() (*firefox, error) {
	profile := filepath.Join(scratch, "firefox")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return nil, err
	}
	err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(
		`user_pref("marionette.port", 0);
user_pref("privacy.userContext.enabled", true);
user_pref("security.webauth.webauthn_enable_softtoken", true);
user_pref("security.webauth.webauthn_enable_usbtoken", false);
user_pref("fission.autostart", false);
user_pref("dom.ipc.processCount", 1);
user_pref("layout.frame_rate", 10);
`), 0o600)
	if err != nil {
		return nil, err
	}
	stop, err := launchFirefox(profile, "--marionette", "--remote-allow-system-access",
		"--width", "900", "--height", "700")
	if err != nil {
		return nil, err
	}
	f := &firefox{stop: stop}
	firefoxStarted = true
	return f, f.greet(filepath.Join(profile, "MarionetteActivePort"))
})

var firefoxStarted bool

func closeFirefox() {
	if firefoxStarted {
		f, _ := sharedFirefox()
		f.stop()
	}
}

// greet connects to the port that Firefox writes to a file, and begins a session.
func (f *firefox) greet(file string) error {
	for began := time.Now(); f.conn == nil; time.Sleep(50 * time.Millisecond) {
		port, err := os.ReadFile(file)
		if err == nil {
			f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)))
		}
		if err != nil && time.Since(began) > patience {
			return err
		}
	}
	f.in = bufio.NewReader(f.conn)
	if err := f.receive(nil); err != nil {
		return err
	}
	err := f.call("WebDriver:NewSession", map[string]any{"strictFileInteractability": true}, nil)
	if err != nil {
		return err
	}
	err = f.call("WebDriver:GetWindowHandle", nil, &f.home)
	f.current = f.home
	return err
}

// call has Firefox do a command, and reads the value of its result.
func (f *firefox) call(command string, params map[string]any, value any) error {
	f.asked++
	if params == nil {
		params = map[string]any{}
	}
	b, err := json.Marshal([]any{0, f.asked, command, params})
	if err != nil {
		return err
	}
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(b), b); err != nil {
		return err
	}
	var problem *struct{ Error, Message string }
	var result json.RawMessage
	if err := f.receive(&[]any{new(int), new(int), &problem, &result}); err != nil {
		return err
	}
	if problem != nil {
		return fmt.Errorf("%s: %w", command, &refused{problem.Error, problem.Message})
	}
	if value == nil {
		return nil
	}
	// Most results are an object with the value; a list is the value itself.
	var with struct{ Value json.RawMessage }
	if json.Unmarshal(result, &with) == nil && with.Value != nil {
		result = with.Value
	}
	return json.Unmarshal(result, value)
}

func (f *firefox) receive(into any) error {
	length, err := f.in.ReadString(':')
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(f.in, b); err != nil || into == nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// privileged runs the body of a function as a part of Firefox itself, in the window around the
// pages.
func (f *firefox) privileged(body string, into any, args ...any) error {
	if args == nil {
		args = []any{}
	}
	if err := f.call("Marionette:SetContext", map[string]any{"value": "chrome"}, nil); err != nil {
		return err
	}
	err := f.call("WebDriver:ExecuteScript", map[string]any{"script": body, "args": args}, into)
	return errors.Join(err,
		f.call("Marionette:SetContext", map[string]any{"value": "content"}, nil))
}

// enter makes a tab the one that commands are for.
func (f *firefox) enter(handle string) error {
	if f.current == handle {
		return nil
	}
	err := f.call("WebDriver:SwitchToWindow", map[string]any{"handle": handle}, nil)
	if err == nil {
		f.current = handle
	}
	return err
}

// logged returns what pages have logged as errors, and forgets it.
func (f *firefox) logged() (list []string, err error) {
	err = f.privileged(`const list = [];
		for (const m of Services.console.getMessageArray()) {
			if (!(m instanceof Ci.nsIScriptError) || m.flags & Ci.nsIScriptError.warningFlag) continue;
			if (!m.sourceName.startsWith("http")) continue;
			list.push(m.sourceName + ":" + m.lineNumber + ": " + m.errorMessage);
		}
		Services.console.reset();
		return list;`, &list)
	return list, err
}
