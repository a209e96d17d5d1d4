package admin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// exception is an order that grants one, with another value of one member, or without it.
func exception(name string, value any) m {
	o := body("POST user/exception", "carla", "").(m)
	o[name] = value
	if value == nil {
		delete(o, name)
	}
	return o
}

// An administrator grants an exception on the page of a user who cannot sign in, and takes it back
// there. A form that is refused keeps what was typed, and says what is wrong with it.
func TestPages_GrantAnExceptionAndEndIt(t *testing.T) {
	s, _, _ := stage(t)
	olivia := s.administrator("acme", "olivia")
	const offer = `href="./user/exception?id=`
	require.NotContains(t, olivia.page("user?id=anna", nil).Text, offer, "anna has an app")
	olivia.has(olivia.page("user?id=carla", nil), 200, offer+`carla"`)
	olivia.has(olivia.page("user/exception?id=carla", nil), 200, `type="date"`,
		`name="approver"`, `name="reason"`, "the password alone")
	before := s.records()
	for name, wrong := range map[string]struct{ value, problem string }{
		"ends":     {"2026-07-01", "Enter a day within the next 90 days."},
		"approver": {" Olivia\u200b", "It cannot be you."},
		"reason":   {" ", "Enter a reason."},
		"id":       {"anna", "This user cannot have an exception"},
	} {
		path, f := form("POST user/exception", "carla", "")
		f.Set("approver", "Dr <b>")
		f.Set(name, wrong.value)
		a := olivia.has(olivia.page(path, f), 422, wrong.problem)
		if name != "id" {
			require.Equal(t, 1, strings.Count(a.Text, `aria-invalid="true"`), name)
		}
		if name != "approver" {
			require.Contains(t, a.Text, `value="Dr &lt;b&gt;"`, name)
		}
		if name != "ends" {
			require.Contains(t, a.Text, `value="2026-04-01"`, name)
		}
		require.Equal(t, before, s.records(), name)
	}
	path, f := form("POST user/exception", "carla", "")
	a := olivia.page(path, f)
	require.Equal(t, "303 ./../user?done=exception&id=carla",
		a.Status[:3]+" "+a.Header.Get("Location"))
	user := olivia.has(olivia.page("user?id=carla&done=exception", nil), 200,
		"The exception is granted.", "the director", "asked on the phone", "1\u00a0April 2026",
		`href="./user/end-exception?id=carla"`)
	require.NotContains(t, user.Text, offer)
	s.client().password("acme", "carla").do("GET", "/mfa/api/state", nil).is(t, 200, "")
	path, f = form("POST user/end-exception", "carla", "")
	require.Equal(t, 303, olivia.page(path, f).StatusCode)
	olivia.has(olivia.page("user?id=carla&done=end-exception", nil), 200,
		"The exception has ended.", offer)
}

// The report says how many users have an exception, and for how many it ends soon.
func TestPages_CountExceptions(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	require.NotContains(t, olivia.page("report", nil).Text, "Exception")
	for id, days := range map[string]int{"carla": 10, "anna": 60} {
		require.NoError(t, s.m.Admin(mfa.System("root"), "broken arm").GrantException(t.Context(),
			s.dir.user(t, id), "director", s.clock.Now().AddDate(0, 0, days)))
	}
	olivia.has(olivia.page("report", nil), 200, "Exception from the second step</th>",
		"Exception ends within 14 days</th>")
	require.Regexp(t, `"excepted":2,"excepted_soon":1`, olivia.api("GET", "report", nil).Text)
}
