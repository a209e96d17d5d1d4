package mfahttp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// byBoth is for routes that show what the user has: the sign-in is complete, with both factors.
const byBoth = "both factors"

// reads are the routes of the Handler that show something. Every route has to be here.
var reads = map[string]string{
	"GET /mfa/{$}":                 byFirst,
	"GET /mfa/verify":              byFirst,
	"GET /mfa/lost":                byFirst,
	"GET /mfa/step-up":             byBoth,
	"GET /mfa/factors":             byBoth,
	"GET /mfa/factors/{id}/remove": byBoth,
	"GET /mfa/offer":               byBoth,
	"GET /mfa/recovery-codes":      byBoth,
	"GET /mfa/enroll":              byGrant,
	"GET /mfa/enroll/{kind}":       byGrant,
	"GET /mfa/enrollments/{id}":    byEnrollment,
	"GET /mfa/setup":               byNobody,
	"GET /mfa/setup/done":          byNobody,
	"GET /mfa/confirm":             byNobody,
	"GET /mfa/confirmed":           byNobody,
	"GET /mfa/continue":            byNobody,
	"GET /mfa/api/state":           byFirst,
	"GET /mfa/api/countries":       byFirst,
	"GET /mfa/api/questions":       byFirst,
	"GET /mfa/api/history":         byBoth,
	"GET /mfa/api/factors":         byBoth,
	"GET /mfa/api/devices":         byBoth,
	"GET /mfa/api/enroll":          byGrant,
	"GET /mfa/api/openapi.json":    byNobody,
}

func TestHandlerReads_AreClassified(t *testing.T) {
	s := newKeySite(t)
	served := 0
	for _, r := range mfahttp.Routes(s.h) {
		if strings.HasPrefix(r, "GET ") {
			served++
			require.Contains(t, reads, r, "say what this route has to prove")
		}
	}
	require.Len(t, reads, served, "a route that is gone")
}

// An attacker with the password alone sees how to respond, and nothing else of what the user has. A
// visitor sees what is public.
func TestHandlerReads_ShowNothingBeforeTheSecondFactor(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	p.login()
	visitor := s.browser("ann")
	for route, class := range reads {
		route = strings.Replace(route, "offer", "offer?passkey=here", 1)
		if class == byBoth || class == byGrant || class == byEnrollment {
			require.NotEqual(t, 200, p.request(route, "none").StatusCode, "%s: password", route)
		}
		if class != byNobody {
			require.NotEqual(t, 200, visitor.request(route, "none").StatusCode, "%s: visitor",
				route)
		}
	}
}
