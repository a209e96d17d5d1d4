package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// navigate opens an address, and waits until that page is loaded, or the one that it goes on to
// meanwhile. It asks again if the page before posted a form by itself at that moment, which cancels
// a request. chromedp's own Navigate takes such a form for what it waits for.
func navigate(url string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			arrived, err := tryNavigate(ctx, url)
			if arrived || err != nil {
				return err
			}
		}
	})
}

// tryNavigate opens an address. It says whether that page arrived, or another request cancelled it.
func tryNavigate(ctx context.Context, url string) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := make(chan any, 1024)
	chromedp.ListenTarget(ctx, func(event any) {
		switch event.(type) {
		case *page.EventLifecycleEvent, *page.EventFrameStoppedLoading, *network.EventLoadingFailed:
			select {
			case events <- event:
			case <-ctx.Done():
			}
		}
	})
	frame, loader, failure, _, err := page.Navigate(url).Do(ctx)
	switch {
	case err != nil:
		return false, err
	case failure == "net::ERR_ABORTED":
		return false, nil
	case failure != "":
		return false, fmt.Errorf("%s of %s", failure, url)
	case loader == "": // another part of the same page
		return true, nil
	}
	for begun, cancelled := false, false; ; {
		select {
		case event := <-events:
			switch event := event.(type) {
			case *page.EventLifecycleEvent:
				begun = begun || event.LoaderID == loader
			case *network.EventLoadingFailed: // a document's request has its loader's name
				cancelled = cancelled || string(event.RequestID) == string(loader)
			case *page.EventFrameStoppedLoading:
				if event.FrameID == frame && (begun || cancelled) {
					return begun, nil
				}
			}
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// A page that posts a form by itself, for which the server has no page, is left for the address
// that is asked for. A page that goes on by itself is waited for.
func TestNavigate_WaitsForItsOwnPage(t *testing.T) {
	needChromium(t)
	mux := http.NewServeMux()
	for path, script := range map[string]string{
		"/posts": "setTimeout(() => document.forms[0].requestSubmit(), location.search.slice(1))",
		"/on":    "location.replace('/there')",
		"/there": "document.title = 'there'",
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<!doctype html><form method="post"></form><script>%s</script>`, script)
		})
	}
	mux.HandleFunc("POST /posts", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(5 * time.Millisecond)
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b := (&site{t: t, base: server.URL}).open(true)
	for delay := range 10 {
		b.run(navigate(fmt.Sprintf("%s/posts?%d", server.URL, delay)))
		for _, path := range []string{"/there", "/on"} {
			var title string
			b.run(navigate(server.URL + path))
			b.eval("document.title", &title)
			require.Equal(t, "there", title, path)
		}
	}
}
