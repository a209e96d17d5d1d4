package field_test

import (
	"fmt"
	"html"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// names are what users called themselves, their devices and their companies. Device says whether
// a factor may be called so; a name that carries marks of direction or looks like a link may not,
// since the service's own mails quote it.
var names = []struct {
	name, whom string
	device     bool
}{
	{`Ann's "phone"`, "both kinds of quotes ended an attribute of a page", true},
	{"O’Brien «2» „x“ ‚y‘", "a name in an authenticator app was cut at the apostrophe", true},
	{`back\slash 100% $x {n} & co;`, "a template read the name as one of its own words", true},
	{"הטלפון של דנה", "the name and the words around it were shown in the wrong order", true},
	{"هاتف ١٢ Ann", "as before, with numbers and Latin letters in it", true},
	{"\u200fדנה\u200e", "the marks that a phone adds by itself", false},
	{"Ann\u202e.exe", "an override of direction turned the rest of the page around", false},
	{strings.Repeat("😀", 16), "64 bytes of emoji were cut in the middle of one", true},
	{strings.Repeat("👩‍👩‍👧‍👦", 2) + "👍🏽!", "families and skin tones are many characters in one",
		false},
	{"Zoë Müller-İıſß", "case was folded to other lengths", true},
	{"a=b&digits=8?secret=x#y", "a name added parameters to the link of an authenticator app",
		true},
}

// Every name is shown whole and as text on the page, or is refused with a reason before anything
// is stored.
func TestName_OfADeviceIsShownAsTyped(t *testing.T) {
	for _, c := range names {
		s := newSite(t)
		s.withApp("ann")
		h := s.m.Session(s.user("ann"), "renaming")
		err := h.Rename(t.Context(), s.grantOf(h), mfa.FactorInfo{ID: s.id("totp"), Name: c.name})
		if !c.device {
			require.ErrorIs(t, err, factor.ErrMalformed, c.whom)
			continue
		}
		require.NoError(t, err, c.whom)
		mail, ok := s.mails.Last()
		require.True(t, ok)
		require.NotContains(t, mail.Subject, "\n")
		quoted := plainname.ForQuotation(c.name)
		require.NotEmpty(t, quoted)
		require.Contains(t, mail.Text.Reveal(), "“"+quoted+"”", c.whom)
		require.Contains(t, html.UnescapeString(mail.HTML.Reveal()), "“"+quoted+"”", c.whom)
		v := s.visitor().signIn("ann").get("/mfa/factors").shows(c.name)
		require.Contains(t, v.page.Text, `<span dir="auto">`+html.EscapeString(c.name)+`</span>`,
			c.whom)
	}
}

// id is the ID of a factor of ann's.
func (s *site) id(kind string) string {
	s.Helper()
	o, err := s.m.Overview(s.Context(), s.user("ann"))
	require.NoError(s, err)
	for _, f := range o.Factors {
		if f.Kind == kind {
			return f.ID
		}
	}
	return ""
}

// A user is called by any name on the pages. It is text there, and in no name of a file.
func TestName_OfAUserIsShownAsText(t *testing.T) {
	s := newSite(t)
	for i, c := range names {
		id := fmt.Sprintf("user-%d", i)
		s.users[id] = mfa.User{ID: id, Account: c.name, Email: id + "@example.com",
			EmailVerified: true}
		v := s.visitor().signIn(id).get("/mfa/factors").shows(c.name)
		require.NotContains(t, v.page.Text, `"phone"`)
		v.post("/mfa/recovery-codes")
		for _, file := range regexp.MustCompile(`data-file="([^"]*)"`).FindAllStringSubmatch(
			v.page.Text, -1) {
			require.Equal(t, "recovery-codes.txt", file[1])
		}
	}
}

// The file of recovery codes has a name that every system takes, in every language.
func TestName_OfAFileIsOne(t *testing.T) {
	for _, tag := range texts.Tags() {
		require.Regexp(t, `^[\pL\pM\pN]+([ _-][\pL\pM\pN]+)*$`, texts.Get(tag).Say("recovery.file"),
			tag)
	}
}

// An authenticator app reads the names of the account and of the service as they are, but for
// what a label cannot hold.
func TestName_InTheLinkOfAnApp(t *testing.T) {
	cleaned := strings.NewReplacer("\u200f", "", "\u200e", "", "\u202e", "", ":", "")
	for _, c := range names {
		issuer := cleaned.Replace(c.name)
		f, err := totp.New(totp.Config{Issuer: issuer})
		if err != nil {
			f, err = totp.New(totp.Config{Issuer: "Acme"})
			issuer = "Acme"
		}
		require.NoError(t, err)
		out, err := f.Enroll(t.Context(), factor.EnrollInput{Name: c.name, Now: time.Now(),
			User: factor.User{ID: "1", Account: c.name}})
		require.NoError(t, err, c.whom)
		key, err := otp.NewKeyFromURL(out.Prompt.URI.Reveal())
		require.NoError(t, err, c.whom)
		require.Equal(t, issuer, key.Issuer(), c.whom)
		require.Equal(t, 6, key.Digits().Length(), c.whom)
		require.Equal(t, out.Prompt.Secret.Reveal(), key.Secret(), c.whom)
		space := func(s string) string { // each mark is a space, and spaces run together
			s = regexp.MustCompile(`[\x{200e}\x{200f}\x{202e}]`).ReplaceAllString(s, " ")
			return strings.Join(strings.Fields(s), " ")
		}
		require.Equal(t, space(c.name)+" ("+space(c.name)+")", key.AccountName(), c.whom)
		_, err = totp.QRSVG(out.Prompt.URI.Reveal())
		require.NoError(t, err, c.whom)
	}
}

// testNames sends mails whose subject has a name. A reader decodes the header to the same name.
func testNames(t *testing.T, m *servers.Mail) {
	want := make(map[string]bool)
	for _, c := range names {
		name := strings.Map(func(r rune) rune {
			if strings.ContainsRune("\u200e\u200f\u202e", r) {
				return -1
			}
			return r
		}, c.name)
		message, err := email.Compose(email.Content{To: "names@example.com", ServiceName: name,
			Locale: "en", Notice: "factor.added", Factor: "totp", Name: name, Left: -1,
			Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
		require.NoError(t, err, c.whom)
		require.Contains(t, message.Subject, name)
		require.NoError(t, post(t, at(m, "ascii", nil), message), c.whom)
		want[message.Subject] = true
	}
	require.Eventually(t, func() bool {
		got := make(map[string]bool)
		for _, text := range m.Received("names") {
			for line := range strings.Lines(text) {
				require.LessOrEqual(t, len(line), 1000)
			}
			read, err := mail.ReadMessage(strings.NewReader(text))
			require.NoError(t, err)
			subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
			require.NoError(t, err)
			for _, r := range read.Header.Get("Subject") {
				require.Less(t, r, rune(0x7f), "on the wire it is ASCII")
			}
			got[subject] = true
		}
		for subject := range want {
			if !got[subject] {
				return false
			}
		}
		return true
	}, time.Minute, 20*time.Millisecond)
}

// grantOf proves ann's app, in a session of the test's own.
func (s *site) grantOf(h mfa.Session) mfa.Grant {
	s.Helper()
	s.clock.Advance(time.Minute)
	ch, err := h.Begin(s.Context())
	require.NoError(s, err)
	v, err := h.Verify(s.Context(), ch, "totp", secret.New(mfatest.AppCode(s, s.key,
		s.clock.Now())))
	require.NoError(s, err)
	return v.Grant
}
