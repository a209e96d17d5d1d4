package ui_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("files", name))
	require.NoError(t, err)
	return string(b)
}

// broken is a built-in file with one change, which must be possible.
func broken(t *testing.T, name, old, replacement string) string {
	t.Helper()
	b := file(t, name)
	require.Contains(t, b, old, name)
	return strings.Replace(b, old, replacement, 1)
}

// Each fault is found by New, wherever on the page it is, with the file, the line and what to do.
func TestOverride_RefusesBrokenFiles(t *testing.T) {
	brief.SkipOneGoroutine(t)
	const own = `{{template "head" (head .Frame "confirmed" "T")}}` + "\n"
	for name, test := range map[string]struct {
		file, text string
		says       []string
	}{
		"unknown field": {"confirmed.html", own + "<p>\n{{.Foo}}",
			[]string{"confirmed.html:3: no field Foo on Link; the fields are Token, "}},
		"misspelt field": {"confirmed.html", "{{.Tokn}}", []string{"did you mean Token?"}},
		"field in a branch that no sample takes": {"verify.html",
			broken(t, "verify.html", `<h1>{{t "locked.title"}}</h1>`,
				`{{if eq .Purpose "never"}}{{.Nope}}{{end}}`),
			[]string{"no field Nope on Verify"}},
		"field of an element": {"factors.html", broken(t, "factors.html",
			"{{icon .Kind}}", "{{icon .Sort}}"), []string{"no field Sort on Factor"}},
		"field of a variable": {"error.html", "{{$f := .Frame}}\n{{$f.Products}}",
			[]string{"error.html:2: no field Products on Frame", "did you mean Product?"}},
		"field in a block": {"parts.html", broken(t, "parts.html", "{{.Label}}", "{{.Lable}}"),
			[]string{"parts.html:", "no field Lable on Field", "did you mean Label?"}},
		"field of a string": {"error.html", "{{.Code.Length}}", []string{"error.html:1",
			"string"}},
		"unknown function": {"lost.html", "\n{{shout .}}", []string{
			`lost.html:2: function "shout" not defined; the functions are asset, `}},
		"arguments": {"lost.html", `{{icon}}`, []string{"lost.html:1: icon takes 1 arguments"}},
		"type of an argument": {"lost.html", `{{date .Product}}`, []string{
			"argument 1 of date must be Time, not string"}},
		"unknown block": {"lost.html", "\n\n{{template \"heads\" .}}", []string{
			`lost.html:3: no block "heads"; the blocks are `, "did you mean head?"}},
		"missing block": {"parts.html", strings.Split(file(t, "parts.html"),
			`{{define "field-error"}}`)[0], []string{
			`parts.html:1: it must define the block "field", which enroll.html:`}},
		"unknown text": {"link.html", "\n{{t \"link.titel\"}}", []string{
			`link.html:2: no text "link.titel" in texts/en.json; did you mean link.title?`}},
		"unknown family": {"link.html", `{{kindText "abuot" "totp"}}`, []string{`"abuot.other"`}},
		"text without its number": {"link.html", `{{t "link.title" "n" 2}}`, []string{
			`"link.title.one"`}},
		"unknown field of a form": {"link.html", `{{template "field" (field .Frame "x" "y")}}`,
			[]string{`"field.y"`}},
		"unknown asset": {"brand.html", `<img src="{{.Base}}static/{{asset "lgo.svg"}}">`,
			[]string{"brand.html:1: no file static/lgo.svg"}},
		"field of what a function returns": {"lost.html",
			`{{(head .Frame "lost" "T").Titel}}`, []string{
				"lost.html:1: no field Titel on Head", "did you mean Title?"}},
		"fails with an empty list": {"factors.html", "\n{{(index .Factors 0).Name}}", []string{
			"factors.html:2", "index out of range"}},
		"fails with a notice": {"page.html", "{{with .Notice}}\n{{index .Code 99}}{{end}}",
			[]string{"page.html:2"}},
		"fails without a notice": {"page.html", "{{.Notice.Code}}", []string{"page.html:1"}},
		"fails for a user who is signed in": {"page.html",
			"{{if .SignedIn}}{{index .Product 99}}{{end}}", []string{"page.html:1"}},
		"fails in one state": {"choose.html", broken(t, "choose.html", `{{t "choose.forced`,
			`{{index .Return 99}}{{t "choose.forced`), []string{"choose.html:"}},
		"runs into an error": {"recovery.html", "{{index .Codes 3}}", []string{"recovery.html:1",
			"index out of range"}},
		"not closed":  {"page.html", "\n{{if .Title}}", []string{"page.html:2", "unexpected EOF"}},
		"broken HTML": {"page.html", `<a href="{{if .Title}}">x{{end}}`, []string{"page.html:1"}},
		"inline style": {"brand.html", "\n" + `<b style="color: red">{{.Product}}</b>`, []string{
			"brand.html:2: an inline script or style"}},
		"inline script": {"brand.html", `<script>alert(1)</script>`, []string{"inline script"}},
		"handler":       {"brand.html", `<b onclick="go()">x</b>`, []string{"inline script"}},
		"no code field": {"verify.html", broken(t, "verify.html",
			`{{with response $k (fieldError .Frame "verify" "code")}}{{if .ID}}`+
				`{{template "field" .}}{{end}}{{end}}`, ""), []string{"verify.html:",
			`the form verify has no input with name="code"`,
			"needs kind, code, purpose, return"}},
		"no hidden input": {"link.html", broken(t, "link.html",
			`<input type="hidden" name="token" value="{{.Token}}">`, ""), []string{
			`link.html:5: the form confirm has no input with name="token"`}},
		"no form": {"setup.html", own, []string{
			`setup.html:1: a form with action="{{.Base}}setup" is missing`}},
		"GET": {"link.html", broken(t, "link.html", `method="post" `, ""), []string{
			`link.html:5: the form confirm needs method="post"`}},
		"GET by the second button of a form": {"verify.html", broken(t, "verify.html",
			`formaction="{{.Base}}send" `, `formaction="{{.Base}}send" formmethod=get `), []string{
			`the form send needs method="post"`}},
		"block without the input": {"parts.html", broken(t, "parts.html", `name="{{.ID}}"`, ""),
			[]string{`has no input with name="code"`, `has no input with name="address"`}},
		"field of a notice that waits": {"parts.html", broken(t, "parts.html",
			"{{with .Pending}}", "{{with .Pendng}}"), []string{
			"no field Pendng on WaitNotice", "did you mean Pending?"}},
		"no hidden input on a page that waits": {"enrollment.html", broken(t, "enrollment.html",
			"<input type=\"hidden\" name=\"return\" value=\"{{.Return}}\">\n"+
				"{{$own}}{{if .SecondsRemaining}}", "{{$own}}{{if .SecondsRemaining}}"), []string{
			`the form enrollments/E1 has no input with name="return"`}},
		"no form on a page that waits": {"verify.html", broken(t, "verify.html",
			`<form method="post" action="{{.Base}}verify" data-once data-wait=`,
			`<form data-wait=`), []string{
			`a form with action="{{.Base}}verify" is missing`, "Waits true"}},
		"fails while a page waits": {"verify.html", broken(t, "verify.html",
			"{{- else if .Waits -}}", "{{- else if .Waits -}}{{index .Option.Kind 99}}"),
			[]string{"verify.html:"}},
		"fails after the time to wait": {"enrollment.html", broken(t, "enrollment.html",
			`<p class="sg-countdown sg-over">{{t "wait.over"}}</p>`, "{{index .ID 99}}"),
			[]string{"enrollment.html:"}},
		"fails before the approval": {"page.html",
			`{{with .Notice}}{{if eq .Code "pending"}}{{index .Code 99}}{{end}}{{end}}`,
			[]string{"page.html:1"}},
		"fails after a denial": {"page.html",
			`{{with .Notice}}{{if eq .Code "denied"}}{{index .Code 99}}{{end}}{{end}}`,
			[]string{"page.html:1"}},
		"unknown module": {"brand.html",
			`<script type="module" src="{{.Base}}static/{{asset "js/clent.js"}}"></script>`,
			[]string{"no file static/js/clent.js; did you mean js/client.js?"}},
		"module with another name": {"static/js/clent.js", "", []string{"static/js/clent.js",
			"did you mean js/client.js?"}},
		"unknown page": {"verfy.html", "x", []string{"verfy.html: no page uses this file",
			"did you mean verify.html?"}},
		"unknown static file": {"static/them.css", "", []string{"static/them.css",
			"did you mean theme.css?"}},
		"unknown place": {"pages/verify.html", "x", []string{
			"pages/verify.html: no page reads this file"}},
		"unknown key": {"texts/nl.json", "{\n \"back\": \"Terug\",\n \"verify.buton\": \"Ga\"\n}",
			[]string{`texts/nl.json:3: no page has a text "verify.buton"`,
				"did you mean verify.button?"}},
		"unknown key in English": {"texts/en.json", `{"verify.buton": "Go"}`,
			[]string{"did you mean verify.button?"}},
		"unknown placeholder": {"texts/nl.json", "{\n\n\"send.to\": \"Naar {address}\"}",
			[]string{"texts/nl.json:3: ", "{address}", "there are [to]"}},
		"broken JSON": {"texts/nl.json", "{\n\"back\": \"Terug\"\n\"cancel\": \"Nee\"}",
			[]string{"texts/nl.json:3: must be one JSON object of strings"}},
		"no string": {"texts/nl.json", "{\n\"back\": [1]}", []string{"texts/nl.json:2",
			`"back" is not a string`}},
		"twice": {"texts/nl.json", "{\"back\": \"a\",\n\"back\": \"b\"}", []string{
			"texts/nl.json:2", "twice"}},
		"months": {"texts/nl.json", "{\"date.months\": \"mei\"}", []string{"twelve"}},
		"more":   {"texts/nl.json", "{}\n{}", []string{"texts/nl.json:2", "something follows"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ui.New(fstest.MapFS{test.file: {Data: []byte(test.text)}})
			for _, says := range test.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

// A page of the application's own that has what its form needs is accepted, one page at a time and
// all together, and so are files that New has nothing to do with.
func TestOverride_AcceptsEachPage(t *testing.T) {
	brief.SkipOneGoroutine(t)
	names, err := filepath.Glob("files/*.html")
	require.NoError(t, err)
	all := fstest.MapFS{".DS_Store": {}, ".git/config": {}, "static/photo.jpg": {}}
	for _, name := range names {
		name = filepath.Base(name)
		text := "{{- /* ours */ -}}\n" + file(t, name)
		all[name] = &fstest.MapFile{Data: []byte(text)}
		_, err := ui.New(fstest.MapFS{name: all[name]})
		require.NoError(t, err, name)
	}
	const plain = `<FORM METHOD=post ACTION='{{.Base}}confirm'><input type=hidden name=token ` +
		`value="{{.Token}}"><button>{{t "own.go"}} {{kindText "own.word" "b"}}</button></FORM>`
	all["link.html"] = &fstest.MapFile{Data: []byte(plain)}
	all["brand.html"] = &fstest.MapFile{Data: []byte(
		`<script type="module" src="{{.Base}}static/{{asset "js/client.js"}}"></script>`)}
	all["texts/en.json"] = &fstest.MapFile{Data: []byte(
		`{"own.go": "Go", "own.word.a": "A", "own.word.other": "B", "problem.token_broken": "C"}`)}
	_, err = ui.New(all)
	require.NoError(t, err)
}

// A text about a kind needs a factor of that kind, and a text about a code an error code.
func TestCheckNames_RefusesUnknownNames(t *testing.T) {
	r, err := ui.New(fstest.MapFS{"texts/en.json": {Data: []byte(
		"{\"kind.hotp\": \"Token\",\n\"about.hopt\": \"A token\",\n" +
			"\"error.title.too_lagre\": \"Large\"}")}})
	require.NoError(t, err)
	require.EqualError(t, r.CheckNames(ui.Names{Kinds: []string{"totp", "hotp"},
		Codes: []string{"too_large"}}),
		`ui: texts/en.json:2: there is no factor of the kind "hopt"; the kinds are totp, hotp; `+
			"did you mean hotp?\n"+
			`ui: texts/en.json:3: there is no error code "too_lagre"; the codes are too_large; `+
			"did you mean too_large?")
	require.NoError(t, r.CheckNames(ui.Names{Kinds: []string{"hotp", "hopt"},
		Codes: []string{"too_lagre"}}))
}

// Every family of texts that a page chooses by a name accepts a text for a name that is not built
// in, wherever the page or this package asks for it.
func TestOverride_AcceptsTextsOfEachFamily(t *testing.T) {
	ask := regexp.MustCompile(`kindText(?:\(| )"([^"]+)"`)
	families := map[string]bool{"kind": true, "notice": true}
	for _, pattern := range []string{"files/*.html", "*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range ask.FindAllStringSubmatch(string(b), -1) {
				families[m[1]] = true
			}
		}
	}
	require.Greater(t, len(families), 25)
	for family := range families {
		name := map[bool]string{true: "step-up", false: "mine"}[family == "verify.why"]
		r, err := ui.New(fstest.MapFS{"texts/en.json": {Data: []byte(
			`{"` + family + "." + name + `": "x"}`)}})
		require.NoError(t, err, family)
		require.NoError(t, r.CheckNames(ui.Names{Kinds: []string{name}, Codes: []string{name}}))
		require.Equal(t, name == "mine", r.CheckNames(ui.Names{}) != nil, family)
	}
}

// The wrong directory is refused before all of it is read.
func TestOverride_RefusesALargeDirectory(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 1001 {
		files[filepath.Join("static", strings.Repeat("x", i+1))] = &fstest.MapFile{}
	}
	_, err := ui.New(files)
	require.ErrorContains(t, err, "more than 1000 files")
}
