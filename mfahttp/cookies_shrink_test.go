package mfahttp_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// crumbs are the cookies of a browser without a network.
type crumbs struct {
	*testing.T
	h    *mfahttp.Handler
	id   mfahttp.Identity
	have map[string]*http.Cookie
}

func newCrumbs(t *testing.T) *crumbs {
	s, h := cookieHandler(t)
	return &crumbs{t, h, s.identity("ann"), map[string]*http.Cookie{}}
}

func (c *crumbs) request() *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for _, each := range c.have {
		r.AddCookie(each)
	}
	return r
}

// keep keeps changed values and returns the cookies that the browser was given.
func (c *crumbs) keep(changed map[string]any) (given map[string]*http.Cookie, err error) {
	values := map[string][]byte{}
	for key, value := range changed {
		var b []byte
		if value != nil {
			b, err = json.Marshal(value)
			require.NoError(c, err)
		}
		values["secondgate."+key] = b
	}
	w := httptest.NewRecorder()
	err = mfahttp.KeepState(c.h, w, c.request(), c.id, values)
	given, total := map[string]*http.Cookie{}, 0
	for _, each := range w.Result().Cookies() {
		given[each.Name], c.have[each.Name] = each, each
		if each.MaxAge < 0 {
			delete(c.have, each.Name)
		}
	}
	for _, each := range c.have {
		total += len(each.Value)
	}
	require.LessOrEqual(c, total, 4096)
	return given, err
}

func (c *crumbs) read(key string) string {
	return string(mfahttp.ReadState(c.h, c.request(), c.id, "secondgate."+key))
}

// dense returns text of random characters, as a token has.
func dense(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

// What does not fit is spared in this order, as little as possible: the user goes on with what the
// request is about.
func TestCookies_SpareTheLeastFirst(t *testing.T) {
	order := []string{"an enrolment", "another enrolment", "typed", "entered", "challenge.sign-in",
		"challenge.step-up", "challenge.manage", "enrollments", "grant"}
	lost, c := 0, newCrumbs(t)
	for size := 1300; ; size += 90 {
		clear(c.have)
		first := map[string]any{"enrollments": []string{"1" + dense(150), "2" + dense(150),
			"3" + dense(150)}, "typed": dense(150), "grant": dense(150),
			"notice": map[string]any{"Code": "malformed", "Entered": m{"number": dense(150)}}}
		for _, purpose := range []string{"sign-in", "step-up", "manage"} {
			first["challenge."+purpose] = dense(150)
		}
		_, err := c.keep(first)
		require.NoError(t, err)
		proof := dense(size)
		_, err = c.keep(map[string]any{"proof": proof})
		missing := map[string]bool{
			"an enrolment":      !strings.Contains(c.read("enrollments"), `"1`),
			"another enrolment": !strings.Contains(c.read("enrollments"), `"2`),
			"entered":           !strings.Contains(c.read("notice"), "number"),
		}
		for _, key := range order {
			if key != "an enrolment" && key != "another enrolment" && key != "entered" {
				missing[key] = c.read(key) == ""
			}
		}
		if err != nil { // and all was tried
			require.ErrorContains(t, err, "Config.Session")
			require.Equal(t, "", c.read("proof"))
			require.Equal(t, len(order), lost)
			return
		}
		require.Equal(t, `"`+proof+`"`, c.read("proof"))
		require.Contains(t, c.read("notice"), "malformed")
		for i, key := range order {
			if missing[key] {
				require.LessOrEqual(t, i, lost, "%s is lost at once at %d", key, size)
				lost = max(lost, i+1)
			} else {
				require.GreaterOrEqual(t, i, lost, "%s is not lost at %d", key, size)
			}
		}
	}
}

// What the request itself has made is not spared: the user would be told that it is there.
func TestCookies_SpareNothingThatIsNew(t *testing.T) {
	for _, key := range []string{"challenge.sign-in", "grant", "enrollments"} {
		c := newCrumbs(t)
		_, err := c.keep(map[string]any{key: []string{dense(5000)}})
		require.ErrorContains(t, err, "Config.Session", key)
		require.Empty(t, c.have)
	}
}

// Values that fit only if all are compressed are, those of earlier requests as well.
func TestCookies_CompressAllBeforeAnyIsLost(t *testing.T) {
	c := newCrumbs(t)
	values := map[string]any{"typed": dense(1200), "challenge.manage": dense(1400)}
	given, err := c.keep(values)
	require.NoError(t, err)
	require.Len(t, given, 2)
	given, err = c.keep(map[string]any{"grant": dense(600)})
	require.NoError(t, err)
	require.Len(t, given, 3, "two of them for the second time")
	for key, value := range values {
		require.Equal(t, `"`+value.(string)+`"`, c.read(key))
	}
	given, err = c.keep(map[string]any{"shown": "x"})
	require.NoError(t, err)
	require.Len(t, given, 1, "what is not changed is not sent again")
}

// A request that changes a value of an earlier one, and makes others shorter, keeps the new value.
func TestCookies_CompressTheNewValue(t *testing.T) {
	c := newCrumbs(t)
	old, manage, grant := dense(1200), dense(1000), dense(600)
	_, err := c.keep(map[string]any{"typed": old, "challenge.manage": manage, "shown": "old"})
	require.NoError(t, err)
	renewed := dense(1600)
	_, err = c.keep(map[string]any{"typed": renewed, "grant": grant, "shown": nil})
	require.NoError(t, err)
	for key, want := range map[string]string{"typed": renewed, "challenge.manage": manage,
		"grant": grant} {
		require.Equal(t, `"`+want+`"`, c.read(key))
	}
	require.Empty(t, c.read("shown"), "what a request ends does not come back")
}

// The cookies of an earlier session of the browser are nothing to the next one, and make room. An
// application that does not call Begin leaves them there when its own session ends.
func TestCookies_OfAnEarlierSessionMakeRoom(t *testing.T) {
	c := newCrumbs(t)
	_, err := c.keep(map[string]any{"proof": dense(600), "enrollments": []string{dense(1200)},
		"grant": dense(600)})
	require.NoError(t, err)
	c.id.SessionID = "the next session"
	challenge := dense(1800)
	_, err = c.keep(map[string]any{"challenge.sign-in": challenge})
	require.NoError(t, err)
	require.Equal(t, `"`+challenge+`"`, c.read("challenge.sign-in"))
	require.Len(t, c.have, 1)
}

// The cookie of a proof is kept longer than any session, others for a day. One that is removed ends
// in the browser, and what the browser does not have is not removed.
func TestCookies_LastAsLongAsTheirValues(t *testing.T) {
	c := newCrumbs(t)
	given, err := c.keep(map[string]any{"proof": "x", "grant": "x", "typed": nil})
	require.NoError(t, err)
	require.Len(t, given, 2)
	require.Equal(t, 400*24*60*60, given["secondgate-proof"].MaxAge)
	require.Equal(t, 24*60*60, given["secondgate-grant"].MaxAge)
	given, err = c.keep(map[string]any{"proof": nil})
	require.NoError(t, err)
	require.Len(t, given, 1)
	require.Negative(t, given["secondgate-proof"].MaxAge)
	require.Empty(t, given["secondgate-proof"].Value)
	require.Equal(t, `"x"`, c.read("grant"))
}
