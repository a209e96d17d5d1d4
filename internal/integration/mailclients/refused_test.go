package mailclients_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The linter refuses a mail with what a client lacks, and one with a form of a feature that excuses
// say no mail has.
func TestMails_LinterRefusesWhatClientsLack(t *testing.T) {
	cases := []struct{ what, client, lacks string }{
		{`<div style="display:flex">x</div>`, "outlook.windows", "display:flex"},
		{`<div style="position:absolute">x</div>`, "outlook.windows", "position"},
		{`<video src="https://acme.example/x.mp4"></video>`, "gmail.android", "<video> element"},
		{`<form action="https://acme.example/"></form>`, "outlook.windows", "<form> element"},
		{`<p style="margin:0 auto">x</p>`, "outlook.windows", "that form of margin"},
		{`<p style="padding:4px">x</p>`, "outlook.windows", "that form of padding"},
		{`<a href="https://acme.example/" style="padding:4px;color:#111">x</a>`,
			"outlook.windows", "that form of padding"},
		{`<p style="font-size:1.2em">x</p>`, "samsung-email.android", "that form of font-size"},
		{`<p style="text-align:start">x</p>`, "gmail.android", "that form of text-align"},
		{`<td style="background:url(x.png)">x</td>`, "outlook.windows", "that form of background"},
		{`<img src="https://acme.example/x.svg" alt="x">`, "gmail.android", "SVG image format"},
		{`<style>@media (prefers-color-scheme: dark) { .x { display: grid } }</style>`,
			"outlook.windows", "display:grid"},
	}
	bad := map[string]string{}
	for _, mail := range mails(t) {
		for _, c := range cases {
			bad[c.what] = strings.Replace(mail, "</body>", c.what+"</body>", 1)
		}
		break
	}
	require.Len(t, bad, len(cases))
	list := refused(lint(t, bad), bad)
	for _, c := range cases {
		require.Condition(t, func() bool {
			for _, r := range list {
				if strings.HasPrefix(r, c.what+": "+c.client+" lacks "+c.lacks) {
					return true
				}
			}
			return false
		}, "%s: %s lacks %s\n%s", c.what, c.client, c.lacks, strings.Join(list, "\n"))
	}
}
