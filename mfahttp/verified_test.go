package mfahttp_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

// One correct response, posted by many at once, signs in once.
func TestVerify_OneOfParallelResponsesSignsIn(t *testing.T) {
	s := newSite(t, nil)
	s.mild = true
	s.browser("ann").signIn().enroll("100001")
	p := s.browser("ann")
	p.login()
	var good, other atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).StatusCode == 200 {
				good.Add(1)
			} else {
				other.Add(1)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 || len(s.verified) != 2 {
		t.Fatalf("%d successes, %d refusals, told %d times", good.Load(), other.Load(),
			len(s.verified)-1)
	}
}

// A user who may still sign in without a factor sees until when.
func TestEnrollBy_IsShownUntilAFactorIsEnrolled(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{EnrollBy: s.clock.Now().Add(48 * time.Hour)}
	p := s.browser("ann")
	p.login()
	p.get("/mfa/factors").page(t, 200, "2026-03-03")
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "") // nothing to prove yet
	p.enroll("100001")
	if a := p.get("/mfa/factors").page(t, 200); strings.Contains(a.Text, "2026-03-03") {
		t.Fatal(a.Text)
	}
}

// The application's tokens are not for the log either.
func TestHandlerBegin_ReturnsNoTokens(t *testing.T) {
	s := newSite(t, nil)
	s.browser("ann").login()
	sealed := regexp.MustCompile(`[\w-]{100}`)
	text, err := s.begun.MarshalText()
	must(t, err)
	if !sealed.Match(text) {
		t.Fatalf("%s", text)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("begun", "challenge", s.begun)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("begun", "challenge", s.begun)
	fmt.Fprintf(&log, "%v %+v %#v", s.begun, s.begun, *s.begun)
	if !strings.Contains(log.String(), "verify") || sealed.MatchString(log.String()) {
		t.Fatal(log.String())
	}
}
