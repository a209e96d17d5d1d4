package browser_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// chromium is the browser. The shell is Chromium's engine without the windows that a user sees,
// whose drawing is most of the work of the whole browser.
var chromium = func() string {
	names := []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}()

var options = append(chromedp.DefaultExecAllocatorOptions[:],
	chromedp.NoSandbox, chromedp.DisableGPU,
	chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	// No page is kept for the way back, no process waits for the next site, all pages share one,
	// and drawing and networking are threads of the browser. (With disable-threaded-compositing as
	// well, a quarter less, pages are not drawn, and no field gets the focus.)
	chromedp.Flag("in-process-gpu", true),
	chromedp.Flag("renderer-process-limit", "1"),
	chromedp.Flag("enable-features", "NetworkServiceInProcess2"),
	chromedp.Flag("disable-features", "site-per-process,Translate,BackForwardCache,RenderDocument,"+
		"SpareRendererForSitePerProcess,PaintHolding"),
	// A quarter of the pixels, as drawing took a fifth of the time. A test that sets the size of
	// its window draws all of them.
	chromedp.Flag("force-device-scale-factor", scale()),
	// A name that is not localhost: without https its pages are no secure context.
	chromedp.Flag("host-resolver-rules", "MAP plain.example 127.0.0.1"),
	chromedp.WindowSize(1100, 900), chromedp.WSURLReadTimeout(patience))

// scale returns the device pixels of a CSS pixel.
func scale() string {
	if os.Getenv("SECONDGATE_SCREENSHOTS") != "" {
		return "1"
	}
	return "0.5"
}

// browser is the one process that all tests share, started by the first of them.
var browser = sync.OnceValues(func() (context.Context, error) {
	ctx, _ := chromedp.NewExecAllocator(context.Background(),
		append(options[:len(options):len(options)], chromedp.ExecPath(chromium))...)
	ctx, _ = chromedp.NewContext(ctx)
	browserStarted = true
	return ctx, chromedp.Run(ctx)
})

var browserStarted bool

func closeBrowser() {
	if browserStarted {
		if ctx, err := browser(); err == nil {
			_ = chromedp.Cancel(ctx)
		}
	}
}

// window is a window of the browser, with cookies and storage of its own. A test has it alone;
// after the test it forgets everything and is there for the next, as a window costs a process.
type window struct {
	ctx   context.Context
	mu    sync.Mutex
	wrong []string
}

// free are the windows that no test has.
var free []*window

// take returns a window with nothing remembered.
func take() (*window, error) {
	if n := len(free); n > 0 {
		w := free[n-1]
		free = free[:n-1]
		return w, nil
	}
	parent, err := browser()
	if err != nil {
		return nil, err
	}
	short, cancelShort := context.WithTimeout(parent, patience)
	defer cancelShort()
	ask := cdp.WithExecutor(short, chromedp.FromContext(parent).Browser)
	jar, err := target.CreateBrowserContext().Do(ask)
	if err != nil {
		return nil, err
	}
	// A window for each, as Chromium opens no tab in a browser context without one.
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(jar).
		WithNewWindow(true).WithWidth(1100).WithHeight(900).Do(ask)
	if err != nil {
		return nil, err
	}
	w := new(window)
	var cancel context.CancelFunc
	w.ctx, cancel = chromedp.NewContext(parent, chromedp.WithTargetID(id))
	chromedp.ListenTarget(w.ctx, w.listen)
	// The first run makes the tab live as long as its context, which has no deadline therefore.
	hangs := time.AfterFunc(patience, cancel)
	defer hangs.Stop()
	// Each tab behaves as the one in front, as it would for its own user.
	return w, chromedp.Run(w.ctx, css.Disable(), cdplog.Enable(),
		emulation.SetFocusEmulationEnabled(true))
}

func (w *window) listen(e any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case *cdpruntime.EventExceptionThrown:
		w.wrong = append(w.wrong, e.ExceptionDetails.Error())
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelError && e.Entry.Source != cdplog.SourceNetwork {
			w.wrong = append(w.wrong, e.Entry.Text)
		}
	}
}

// logged returns what the pages of the window have logged as errors, and forgets it.
func (w *window) logged() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.wrong
	w.wrong = nil
	return list
}

// forget makes the window as new for the application at base.
func (w *window) forget(base string) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx,
		webauthn.Disable(),
		emulation.SetScriptExecutionDisabled(false),
		network.SetExtraHTTPHeaders(network.Headers{}),
		navigate("about:blank"),
		wholeWindow(),
		page.ResetNavigationHistory(),
		network.ClearBrowserCookies(),
		network.ClearBrowserCache(),
		storage.ClearDataForOrigin(base, "all"))
}

// tab is a window that a test has. Steps that only Chromium does use window, which is nil in
// Firefox.
type tab struct {
	*site
	*window
	engine engine
	script bool
}

// open opens a tab with nothing remembered. The test fails if a page of it logs an error: a
// script that threw, or something that the Content-Security-Policy refused.
func (s *site) open(script bool) *tab {
	s.t.Helper()
	if s.firefox != nil {
		return s.openInFirefox()
	}
	w, err := take()
	require.NoError(s.t, err)
	b := &tab{site: s, window: w, engine: inChromium{w}, script: script}
	s.t.Cleanup(func() {
		if wrong := w.logged(); len(wrong) > 0 {
			s.t.Errorf("the browser's log: %q", wrong)
		}
		if err := w.forget(s.base); err != nil {
			s.t.Errorf("the browser forgets: %v", err)
			return
		}
		_ = w.logged()
		free = append(free, w)
	})
	b.run(emulation.SetScriptExecutionDisabled(!script))
	return b
}
