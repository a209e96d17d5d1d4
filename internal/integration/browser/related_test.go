package browser_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

// ceremonies performs a ceremony at a page, and returns the response as JSON.
const ceremonies = `async ({publicKey}, create) => {
	const made = create
		? await navigator.credentials.create({publicKey:
			PublicKeyCredential.parseCreationOptionsFromJSON(publicKey)})
		: await navigator.credentials.get({publicKey:
			PublicKeyCredential.parseRequestOptionsFromJSON(publicKey)});
	return JSON.stringify(made.toJSON());
}`

// domains are pages on https on several domains, in a Chromium of their own that takes their
// certificate.
type domains struct {
	*testing.T
	ctx   context.Context
	asked atomic.Int32 // how often the list of related origins was fetched
}

func newDomains(t *testing.T, f *passkey.Factor) *domains {
	t.Helper()
	needChromium(t)
	d := &domains{T: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>A page</title>"))
	})
	mux.HandleFunc("/.well-known/webauthn", func(w http.ResponseWriter, r *http.Request) {
		d.asked.Add(1)
		f.RelatedOrigins().ServeHTTP(w, r)
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	key, err := x509.MarshalPKIXPublicKey(server.Certificate().PublicKey)
	require.NoError(t, err)
	pin := sha256.Sum256(key)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		append(options[:len(options):len(options)], chromedp.ExecPath(chromium),
			chromedp.Flag("ignore-certificate-errors-spki-list",
				base64.StdEncoding.EncodeToString(pin[:])),
			chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1:"+port))...)
	t.Cleanup(cancel)
	d.ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(d.ctx) }) // which waits for the browser to end
	require.NoError(t, chromedp.Run(d.ctx, webauthn.Enable(),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
				Protocol:       webauthn.AuthenticatorProtocolCtap2,
				Transport:      webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
				AutomaticPresenceSimulation: true}).Do(ctx)
			return err
		})))
	return d
}

// perform does a ceremony at the page of an origin.
func (d *domains) perform(
	origin string, argument []byte, create bool,
) (response string, err error) {
	d.Helper()
	err = chromedp.Run(d.ctx, navigate(origin+"/"),
		chromedp.Evaluate(fmt.Sprintf("(%s)(%s, %t)", ceremonies, argument, create), &response,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
				return p.WithAwaitPromise(true)
			}))
	return response, err
}

// A passkey of one domain is created and used on another one that its list names, and on no other.
func TestRelatedOrigins_ShareAPasskey(t *testing.T) {
	const home, related, foreign = "https://www.example.com", "https://www.example.de",
		"https://www.example.net"
	f, err := passkey.New(passkey.Config{RPID: "example.com", RPName: "Acme",
		Origins: []string{home}, RelatedOrigins: []string{related}})
	require.NoError(t, err)
	d, now := newDomains(t, f), time.Now()
	ann := factor.User{ID: "42", Account: "ann@example.com"}
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann, Now: now})
	require.NoError(t, err)
	state := out.State
	ceremony := func(origin string, create bool) error {
		t.Helper()
		is, err := f.Issue(t.Context(), factor.IssueInput{User: ann, State: state,
			Confirming: create, Instances: []factor.EnrollOutput{{State: state}}, Now: now})
		require.NoError(t, err)
		response, err := d.perform(origin, is.Prompt.Data, create)
		if err != nil {
			return err
		}
		require.True(t, json.Valid([]byte(response)))
		v, err := f.Verify(t.Context(), factor.VerifyInput{User: ann, State: state,
			Issued: is.Keep, IssuedAt: now, Opened: now, Expires: is.Expires, Confirming: create,
			Now: now, Response: secret.New(response)})
		if err == nil {
			state = v.State
		}
		return err
	}
	require.NoError(t, ceremony(related, true))
	require.Positive(t, d.asked.Load(), "the browser reads the list")
	require.NoError(t, ceremony(home, false))
	require.NoError(t, ceremony(related, false))
	require.ErrorContains(t, ceremony(foreign, false), "SecurityError")
}
