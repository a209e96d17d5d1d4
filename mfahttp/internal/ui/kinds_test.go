package ui_test

import (
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

const badgeIcon = `<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48" viewBox="0 0 48 48">` +
	`<g stroke-width="2"><circle cx="24" cy="24" r="9"/></g></svg>`

// badge is a kind that is not built in, with a text of its own for each key.
func badge() ui.Kind {
	texts := func(lang string) string {
		return fmt.Sprintf(
			`{"name": "Badge %[1]s", "about": "About %[1]s", "strength": "Fine %[1]s",
			"choose.have": "Have %[1]s", "enroll.title": "Enroll %[1]s", "enroll.text": "Take %[1]s",
			"enroll.button": "Next %[1]s", "field.serial": "Serial %[1]s", "hint.serial": "Back %[1]s",
			"field.office": "Office %[1]s", "enrollment.title": "Enrollment %[1]s",
			"enrollment.text": "Prove %[1]s", "text.shown": "Shown %[1]s {number}",
			"text.known": "Known %[1]s", "send.again": "Again %[1]s",
			"hint.name": "Such as %[1]s", "send.title": "Send %[1]s", "verify.title": "Verify %[1]s",
			"verify.text": "Hold it %[1]s for {product}", "response": "Number %[1]s",
			"response.hint": "Six %[1]s", "notice.incorrect": "No %[1]s.",
			"problem.form": "Form %[1]s", "problem.serial_unknown": "Unknown %[1]s",
			"problem.badge_lost": "Lost %[1]s", "notice.added": "Added %[1]s",
			"remove.text": "Removed %[1]s", "lost.by": "If %[1]s"}`, lang)
	}
	files := fstest.MapFS{"icon.svg": {Data: []byte(badgeIcon)},
		"verify.html": {Data: []byte(
			`{{with .Data}}<p>{{t "text.shown" "number" .number}}</p>{{end}}`)},
		"enrollment.html": {Data: []byte(`<p>{{t "text.known"}} {{.URI}}</p>`)},
		"script.js":       {Data: []byte(`"use strict";`)}}
	for _, lang := range langs {
		files["texts/"+lang+".json"] = &fstest.MapFile{Data: []byte(texts(lang))}
	}
	return ui.Kind{Kind: "zx-badge", Files: files, Response: ui.Field{InputMode: "numeric"},
		Fields: []ui.Field{{Name: "serial", MaxLength: 32, InputMode: "numeric"},
			{Name: "office", Optional: true, Autocomplete: "organization"}}}
}

// badgePages are the pages on which a kind appears, and the texts of the kind that each has.
var badgePages = []struct {
	name, has string // what the page has is separated by bars
	make      func(f ui.Frame, o ui.Option) ui.Page
}{
	{"verify", "Verify|Hold it|Number|Six", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Verify{Frame: f, Option: o}
	}},
	{"incorrect", "No", func(f ui.Frame, o ui.Option) ui.Page {
		f.Notice = &ui.Notice{Code: "incorrect", Kind: o.Kind, Remaining: 3}
		return ui.Verify{Frame: f, Option: o}
	}},
	{"malformed", "Form", func(f ui.Frame, o ui.Option) ui.Page {
		f.Notice = &ui.Notice{Code: "malformed", Kind: o.Kind, Remaining: -1}
		return ui.Verify{Frame: f, Option: o}
	}},
	{"send", "Send", func(f ui.Frame, o ui.Option) ui.Page {
		o.Sends = true
		return ui.Verify{Frame: f, Option: o}
	}},
	{"stopped", "Badge", func(f ui.Frame, o ui.Option) ui.Page {
		o.Disabled, o.Provable = true, true
		return ui.Verify{Frame: f, Option: o}
	}},
	{"others", "Badge", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Verify{Frame: f, Option: ui.Option{Kind: "totp"}, Others: []ui.Option{o}}
	}},
	{"choose", "Badge|Fine|About|Have", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Choose{Frame: f, Kinds: []ui.Choice{{Kind: o.Kind, Have: true}}}
	}},
	{"enroll", "Enroll|Take|Next|Serial|Back|Office", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Enroll{Frame: f, Kind: o.Kind, Password: true}
	}},
	{"reason", "Unknown", func(f ui.Frame, o ui.Option) ui.Page {
		f.Notice = &ui.Notice{Code: "malformed", Reason: "serial_unknown", Kind: o.Kind,
			Remaining: -1}
		return ui.Enroll{Frame: f, Kind: o.Kind}
	}},
	{"reason of the page", "Lost", func(f ui.Frame, o ui.Option) ui.Page {
		f.Notice = &ui.Notice{Code: "malformed", Reason: "badge_lost", Kind: o.Kind, Remaining: -1}
		return ui.Enroll{Frame: f, Kind: o.Kind}
	}},
	{"sent", "Verify|Hold it|Again|Number|Six|Shown", func(f ui.Frame, o ui.Option) ui.Page {
		o.Sends = true
		return ui.Verify{Frame: f, Option: o, Sent: true, SentTo: "•••42", SecondsRemaining: 90,
			Data: `{"number": "07"}`}
	}},
	{"enrollment", "Enrollment|Prove|Number|Such as|Known", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Enrollment{Frame: f, ID: "E1", Kind: o.Kind}
	}},
	{"factors", "Badge|Added", func(f ui.Frame, o ui.Option) ui.Page {
		f.Notice = &ui.Notice{Code: "added", Kind: o.Kind, Remaining: -1}
		return ui.Factors{Frame: f, Factors: []ui.Factor{{ID: "f1", Kind: o.Kind},
			{ID: "f2", Kind: o.Kind, Name: "Mine", HeldUntil: now.AddDate(0, 0, 1)}}}
	}},
	{"remove", "Badge|Removed", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Remove{Frame: f, Factor: ui.Factor{ID: "f1", Kind: o.Kind}}
	}},
	{"lost", "Badge|If", func(f ui.Frame, o ui.Option) ui.Page {
		return ui.Lost{Frame: f, Recovery: []ui.Option{o}}
	}},
}

// On every page where a kind appears, a described kind has its texts in the page's language, and
// its icon. Its raw name is in URLs and hidden fields alone.
func TestKind_HasItsTextsOnEachPage(t *testing.T) {
	r, err := ui.New(nil, badge())
	require.NoError(t, err)
	for _, lang := range langs {
		for _, p := range badgePages {
			t.Run(lang+"/"+p.name, func(t *testing.T) {
				page := render(t, r, p.make(frame(lang), ui.Option{Kind: "zx-badge"}))
				list := parse(t, page)
				checkCSP(t, list)
				checkReferences(t, list)
				checkForms(t, list)
				require.NotContains(t, page, "ZgotmplZ")
				for _, text := range strings.Split(p.has, "|") {
					require.Contains(t, page, text+" "+lang)
				}
				if p.name != "stopped" { // it has the icon of a warning
					require.Contains(t, page, `viewBox="0 0 48 48"`)
				}
				for _, e := range list {
					require.NotContains(t, e.text, "zx-badge")
					require.NotContains(t, e.attrs["aria-label"], "zx-badge")
				}
			})
		}
	}
}

// Without a description a kind has general texts and the icon of a key, and its raw name.
func TestKind_IsGeneralWithoutADescription(t *testing.T) {
	r := newUI(t)
	for _, p := range badgePages {
		page := render(t, r, p.make(frame("nl"), ui.Option{Kind: "zx-badge"}))
		parse(t, page)
		require.NotContains(t, page, "Badge")
	}
}

// A text that a language does not have is in English, and one that English does not have is
// general. No reason is ever shown.
func TestKind_FallsBackToEnglish(t *testing.T) {
	r, err := ui.New(nil, ui.Kind{Kind: "zx-badge", Fields: []ui.Field{{Name: "serial"}},
		Files: fstest.MapFS{
			"texts/en.json": {Data: []byte(`{"name": "Badge", "field.serial": "Serial number"}`)},
			"texts/nl.json": {Data: []byte(`{"name": "Pasje"}`)},
			"texts/fr.json": {Data: []byte(`{"name": "Carte"}`)}, // no page is in French
		}})
	require.NoError(t, err)
	f := frame("nl")
	f.Notice = &ui.Notice{Code: "malformed", Reason: "serial_odd", Kind: "zx-badge", Remaining: -1,
		Entered: map[string]string{"serial": "12"}}
	page := html.UnescapeString(render(t, r, ui.Enroll{Frame: f, Kind: "zx-badge"}))
	require.Contains(t, page, "Serial number")
	require.Contains(t, page, `value="12"`)
	require.Contains(t, page, `aria-invalid="true"`)
	require.Contains(t, page, "<h1>Pasje</h1>")
	require.Contains(t, page, textsOf(t, "nl")["enroll.text.other"])
	require.Contains(t, page, textsOf(t, "nl")["notice.malformed"])
	require.NotContains(t, page, "serial_odd")
	page = render(t, r, ui.Choose{Frame: frame("nl"), Kinds: []ui.Choice{{Kind: "zx-badge"}}})
	require.Contains(t, page, "Pasje")
	require.NotContains(t, page, "Badge")
}

// The part of a page that a kind brings is escaped as the pages are, and its script is served.
func TestKind_BringsAPartOfThePage(t *testing.T) {
	k := badge()
	k.Response = ui.Field{Type: "none"}
	k.Files.(fstest.MapFS)["verify.html"] = &fstest.MapFile{Data: []byte(
		`<p class="mine">{{with .Data}}{{.number}}{{end}} {{.MaskedDestination}}</p><input type="hidden" name="code">`)}
	r, err := ui.New(nil, k)
	require.NoError(t, err)
	v := ui.Verify{Frame: frame("en"), Option: ui.Option{Kind: "zx-badge"}, Sent: true,
		SentTo: "<b>", SecondsRemaining: 9, Data: `{"number": 12345678901234567890}`}
	page := render(t, r, v)
	require.Contains(t, page, `<p class="mine">12345678901234567890 &lt;b&gt;</p>`)
	require.NotContains(t, page, `id="code"`)
	v.Data = `{"number": "</p><script>"}`
	page = render(t, r, v)
	require.Contains(t, page, "&lt;/p&gt;&lt;script&gt;")
	v.Data = ""
	require.Contains(t, render(t, r, v), `<p class="mine"> &lt;b&gt;</p>`)
	v.Data = "{"
	require.ErrorContains(t, r.Render(io.Discard, v), "not JSON")

	script, ok := r.Static(r.AssetPath("kinds/zx-badge.js"))
	require.True(t, ok && script.Current)
	require.Equal(t, `"use strict";`, string(script.Content))
	for _, name := range []string{"kinds/totp.js", "kinds/other.js", "kinds/zx-badge", "kinds",
		"kinds/zx-badge.js/../../texts/en.json", "kinds/icon.svg"} {
		_, ok := r.Static(name)
		require.False(t, ok, name)
	}
}

// The field for a response is as the description says.
func TestKind_HasItsResponseField(t *testing.T) {
	for _, test := range []struct {
		in                       ui.Field
		typ, mode, autocompletes string
	}{
		{ui.Field{}, "text", "", "one-time-code"},
		{ui.Field{InputMode: "numeric"}, "text", "numeric", "one-time-code"},
		{ui.Field{Type: "password", Autocomplete: "off"}, "password", "", "off"},
	} {
		k := badge()
		k.Response = test.in
		r, err := ui.New(nil, k)
		require.NoError(t, err)
		list := parse(t, render(t, r, ui.Verify{Frame: frame("en"),
			Option: ui.Option{Kind: "zx-badge"}}))
		i := slices.IndexFunc(list, func(e element) bool { return e.attrs["name"] == "code" })
		a := list[i].attrs
		require.Equal(t, []string{test.typ, test.mode, test.autocompletes},
			[]string{a["type"], a["inputmode"], a["autocomplete"]})
		require.Equal(t, "code-hint", a["aria-describedby"])
	}
}

func TestNew_RefusesKindsThatAreNotValid(t *testing.T) {
	named := func(text string) fstest.MapFS {
		return fstest.MapFS{"texts/en.json": {Data: []byte(text)}}
	}
	ok := named(`{"name": "Badge", "field.serial": "Serial"}`)
	with := func(name, text string) fstest.MapFS {
		return fstest.MapFS{"texts/en.json": ok["texts/en.json"], name: {Data: []byte(text)}}
	}
	serial := []ui.Field{{Name: "serial"}}
	field := func(f ui.Field) ui.Kind { return ui.Kind{Files: ok, Fields: []ui.Field{f}} }
	for name, test := range map[string]struct {
		kind ui.Kind
		says string
	}{
		"no files":   {ui.Kind{}, "texts/en.json"},
		"no texts":   {ui.Kind{Files: fstest.MapFS{}}, "texts/en.json needs \"name\""},
		"no name":    {ui.Kind{Files: named(`{"about": "x"}`)}, "needs \"name\""},
		"empty name": {ui.Kind{Files: named(`{"name": " "}`)}, "empty"},
		"unknown key": {ui.Kind{Files: named(`{"name": "x", "naam": "y"}`)},
			"no page has this text"},
		"other family": {ui.Kind{Files: named(`{"name": "x", "kind.sms": "y"}`)}, "kind.sms"},
		"no such field": {ui.Kind{Files: named(`{"name": "x", "field.serial": "y"}`)},
			"field.serial"},
		"placeholder": {ui.Kind{Files: named(`{"name": "{user}"}`)}, "{user}"},
		"no JSON":     {ui.Kind{Files: named(`{`)}, "texts/en.json"},
		"language": {ui.Kind{Files: with("texts/x.json", `{}`), Fields: serial},
			"texts/de.json"},
		"no label":     {ui.Kind{Files: named(`{"name": "x"}`), Fields: serial}, "label"},
		"reserved":     {field(ui.Field{Name: "password"}), "choose another"},
		"field name":   {field(ui.Field{Name: "Serial No"}), "lower-case"},
		"twice":        {ui.Kind{Files: ok, Fields: append(serial, serial...)}, "twice"},
		"too many":     {ui.Kind{Files: ok, Fields: make([]ui.Field, 9)}, "too many"},
		"type":         {field(ui.Field{Name: "serial", Type: "file"}), "file"},
		"mode":         {field(ui.Field{Name: "serial", InputMode: "x"}), "input mode"},
		"autocomplete": {field(ui.Field{Name: "serial", Autocomplete: `"`}), "autocomplete"},
		"length":       {field(ui.Field{Name: "serial", MaxLength: 257}), "1 to 256"},
		"response": {ui.Kind{Files: ok, Fields: serial, Response: ui.Field{Name: "x"}},
			"Response"},
		"icon": {ui.Kind{Files: with("icon.svg", "<svg/>"), Fields: serial}, "viewBox"},
	} {
		t.Run(name, func(t *testing.T) {
			test.kind.Kind = "zx-badge"
			_, err := ui.New(nil, test.kind)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "zx-badge")
		})
	}
	_, err := ui.New(nil, badge(), badge())
	require.ErrorContains(t, err, "twice")
	built := badge()
	built.Kind = "sms"
	_, err = ui.New(nil, built)
	require.ErrorContains(t, err, "built in")
}

// An icon is drawn, and does nothing else.
func TestKind_IconDoesNothingButDraw(t *testing.T) {
	const root = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"`
	for name, svg := range map[string]string{
		"script":        root + `><script>alert(1)</script></svg>`,
		"handler":       root + `><path d="M0 0" onclick="alert(1)"/></svg>`,
		"root handler":  root + ` onload="alert(1)"></svg>`,
		"style":         root + `><path style="fill:url(https://x)" d="M0 0"/></svg>`,
		"style element": root + `><style>*{fill:red}</style></svg>`,
		"image":         root + `><image href="https://x/y.png"/></svg>`,
		"use":           root + `><use href="#a"/></svg>`,
		"link":          root + `><a href="https://x"><path d="M0 0"/></a></svg>`,
		"reference":     root + `><path fill="url(#a)" d="M0 0"/></svg>`,
		"spelt":         root + `><path fill="URL (#a)" d="M0 0"/></svg>`,
		"escape":        root + `><path d="M0 0&quot; onclick=&quot;alert(1)"/></svg>`,
		"namespace": root +
			` xmlns:x="http://www.w3.org/1999/xlink"><path x:href="#a"/></svg>`,
		"foreign object": root + `><foreignObject><p/></foreignObject></svg>`,
		"text":           root + `>secret</svg>`,
		"entity":         `<!DOCTYPE svg [<!ENTITY x "y">]>` + root + `></svg>`,
		"animation":      root + `><animate attributeName="d"/></svg>`,
		"not svg":        `<html viewBox="0 0 24 24"></html>`,
		"not closed":     root + `>`,
		"no XML":         `viewBox`,
		"empty":          ``,
		"no box":         `<svg xmlns="http://www.w3.org/2000/svg"></svg>`,
		"odd box":        `<svg viewBox="0 0 24 24&quot; onload=&quot;"></svg>`,
		"too large":      root + `><path d="` + strings.Repeat("M0 0", 5000) + `"/></svg>`,
	} {
		t.Run(name, func(t *testing.T) {
			k := badge()
			k.Files.(fstest.MapFS)["icon.svg"] = &fstest.MapFile{Data: []byte(svg)}
			_, err := ui.New(nil, k)
			require.ErrorContains(t, err, "icon.svg")
		})
	}
	for svg, want := range map[string]string{
		badgeIcon: `fill="none" stroke="currentColor"`,
		`<?xml version="1.0"?><!-- drawn by hand -->` + root +
			` fill="currentColor"><path d="M0 0h9"/></svg>`: `20" fill="currentColor" aria-hidden="true"`,
	} {
		k := badge()
		k.Files.(fstest.MapFS)["icon.svg"] = &fstest.MapFile{Data: []byte(svg)}
		r, err := ui.New(nil, k)
		require.NoError(t, err)
		page := render(t, r, ui.Remove{Frame: frame("en"), Factor: ui.Factor{Kind: "zx-badge"}})
		drawn := regexp.MustCompile(`(?s)<svg class="sg-icon".*?</svg>`).FindAllString(page, -1)
		require.Contains(t, drawn[1], want)
		require.Contains(t, drawn[1], `width="20" height="20"`)
		require.NotContains(t, page, "hand")
	}
}

// What an error keeps of a form for the next page has no passwords and no secret answers.
func TestForm_KeepsNoSecrets(t *testing.T) {
	k := badge()
	k.Fields[1].Type = "password"
	r, err := ui.New(nil, k)
	require.NoError(t, err)
	for kind, kept := range map[string][]string{
		"zx-badge": {"serial"}, "pin": nil, "sms": {"region", "number"},
		"questions": {"question1", "own1", "question2", "own2", "question3", "own3"},
	} {
		require.Equal(t, append([]string{"name", "remember"}, kept...), r.Form(kind).Kept)
	}
	require.Equal(t, []string{"name", "question1", "own1", "answer1", "question2", "own2",
		"answer2", "question3", "own3", "answer3"}, r.Form("questions").Shown)
	require.Equal(t, []string{"name"}, r.Form("pin").Shown)
	require.Equal(t, []string{"question1", "answer1", "question2", "answer2", "question3",
		"answer3"}, r.Form("questions").Params)
	require.Equal(t, []string{"pin"}, r.Form("pin").Params, "the second is no parameter")
}

// digits is the pattern of a field for digits: it has room for what the server leaves out.
const digits = `[\p{Nd}\p{White_Space}\p{Pd}\p{Cf}\p{Variation_Selector}\u2212\u2043\u02d7]*`
