package browser_test

import (
	"context"
	"net/http"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// inChromium does in a window of Chromium what every engine does.
type inChromium struct{ *window }

// run does actions as one step.
func (w inChromium) run(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// away does what leads to another page as one step, and waits for the response.
func (w inChromium) away(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, actions...)
	return err
}

func (w inChromium) load(url string) error { return w.run(navigate(url)) }

func (w inChromium) evaluate(js string, into any) error {
	return w.run(chromedp.Evaluate(js, into))
}

func (w inChromium) click(selector string) error {
	return w.run(chromedp.Click(selector, chromedp.ByQuery))
}

func (w inChromium) leave(selector string) error {
	return w.away(chromedp.Click(selector, chromedp.ByQuery))
}

func (w inChromium) back() error { return w.away(chromedp.NavigateBack()) }

func (w inChromium) set(selector, value string) error {
	return w.run(chromedp.SetValue(selector, value, chromedp.ByQuery))
}

func (w inChromium) cookies(url string) (list []*http.Cookie, err error) {
	err = w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := network.GetCookies().WithURLs([]string{url}).Do(ctx)
		for _, k := range all {
			list = append(list, &http.Cookie{Name: k.Name, Value: k.Value, Path: "/"})
		}
		return err
	}))
	return list, err
}

func (w inChromium) setCookies(url string, list []*http.Cookie) error {
	return w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		for _, k := range list {
			if k.MaxAge < 0 {
				if err := network.DeleteCookies(k.Name).WithURL(url).Do(ctx); err != nil {
					return err
				}
				continue
			}
			err := network.SetCookie(k.Name, k.Value).WithURL(url).WithPath(k.Path).
				WithHTTPOnly(k.HttpOnly).WithSecure(k.Secure).
				WithSameSite(network.CookieSameSiteLax).Do(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	}))
}
