package structure_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// userWords are words that no text for users has, by the word to write instead. docs/ui-words.md
// describes the vocabulary. The names are regular expressions.
var userWords = []struct{ word, instead string }{
	{`please`, "the instruction alone"},
	{`(wrong|right) answers?`, "failed attempts, correct"},
	{`(is|are|was|were|not) right`, "correct, wrong"},
	{`incorrect`, "wrong"},
	{`stopped`, "disabled"},
	{`good for`, "valid for"},
	{`on its way`, "sent"},
	{`(is|time is) over`, "expired, up"},
	{`begin`, "start"},
	{`go on`, "continue"},
	{`confirm(ed)? ((this|your|the) )?(e-mail )?address|confirm that this is your e-mail address`,
		"verify"},
	{`address (is|was) confirmed`, "verified"},
	{`emails?`, "e-mail"},
	{`(log|logged|logging) (in|out)|login`, "sign in, sign out"},
	{`person|people|somebody|whoever`, "you, support, others"},
	{`trusted (device|browser)s?`, "remembered device"},
	{`backup codes?`, "recovery code"},
	{`(authentication|authenticating|authentication's) app|2fa|two-factor|one-time (code|password)|` +
		`otp`, "authenticator app, code"},
	{`security keys? or passkeys?`, "passkey"},
	{`(set-?up|setup) link`, "recovery link"},
	{`void|judge|budget|binding`, "a word for users"},
	{`factors?`, "sign-in method, or second step"},
	{`sms`, "text message"},
	{`lost your device`, "Can’t get a code?"},
	{`preferred|ask first|asks? for first`, "use this first, used first"},
	{`(reset|replace) (your|the) pin`, "change PIN"},
}

// rightWords are texts that have such a word in another sense, with the reason.
var rightWords = map[string]string{
	"A failure stopped the mails. Continue, or try again later.":   "mails stop, not a method",
	"Stopped. Continue when you are ready.":                        "the button is Stop",
	"Where did you go on your first holiday without your parents?": "go on a holiday",
}

func TestWords_KeepToTheVocabulary(t *testing.T) {
	brief.SkipOneGoroutine(t)
	texts := userTexts(t)
	for _, r := range userWords {
		pattern := wordPattern(r.word)
		for _, text := range texts {
			found := pattern.FindString(text.text)
			if found != "" && rightWords[text.text] == "" {
				t.Errorf("%s: %q in %q: write %s", text.at, found, text.text, r.instead)
			}
		}
	}
	for right := range rightWords {
		require.True(t, slices.ContainsFunc(texts, func(text userText) bool {
			return text.text == right
		}), "no text is %q", right)
	}
}

// An attacker is someone in a notice to the user whose account it is, and in no other text.
func TestWords_SomeoneIsAnAttackerInMails(t *testing.T) {
	for _, text := range userTexts(t) {
		if !strings.HasPrefix(text.key, "mail.") && wordPattern(`someone`).MatchString(text.text) {
			t.Errorf("%s: %q: write you, support, others", text.at, text.text)
		}
	}
}

// An answer is what the user gives to a security question, and nothing else.
func TestWords_OnlySecurityQuestionsHaveAnswers(t *testing.T) {
	pattern := wordPattern(`answer(s|ed)?`)
	for _, text := range userTexts(t) {
		about := strings.Contains(text.key, "question") ||
			strings.Contains(text.key, "problem.answer") || strings.Contains(text.text, "question")
		if !about && pattern.MatchString(text.text) {
			t.Errorf("%s: %q: only security questions have answers", text.at, text.text)
		}
	}
}

// otherSenses are English texts that mean another thing in an example than in the library, with the
// reason.
var otherSenses = map[string]string{
	"Name": "the name of a user, and not of a sign-in method",
	"Show": "a link to a page, and not a filter",
}

// A text that an example and the library both have is the same in every language, and so is one of
// two examples, so that a user reads the same words on the pages of all.
func TestWords_OfTheExamplesAreThoseOfTheLibrary(t *testing.T) {
	keys := map[string][]string{} // by the English text
	for key, text := range catalogue(t, "internal/texts/files/en.json") {
		keys[text] = append(keys[text], key)
	}
	files, err := filepath.Glob("../../examples/*/texts/*.json")
	require.NoError(t, err)
	same, said := 0, map[string]string{} // by the language and the English text
	for _, file := range files {
		file = strings.TrimPrefix(filepath.ToSlash(file), "../../")
		library := catalogue(t, "internal/texts/files/"+filepath.Base(file))
		for english, text := range catalogue(t, file) {
			before, also := said[filepath.Base(file)+english]
			require.True(t, !also || before == text, "%s: %q: %q", file, english, before)
			said[filepath.Base(file)+english] = text
			if len(keys[english]) == 0 || otherSenses[english] != "" {
				continue
			}
			same++
			var words []string
			for _, key := range keys[english] {
				words = append(words, library[key])
			}
			require.Contains(t, words, text, "%s: %q", file, english)
		}
	}
	require.Greater(t, same, 21*20)
}

// A template has no quotation marks of its own, which would be those of English on every page. The
// text "admin.quoted" has those of the language.
func TestTemplates_QuoteAsTheLanguageDoes(t *testing.T) {
	list := strings.Fields(string(run(t, "../..", "git", "ls-files", "mfahttp/*.html",
		"examples/*/templates/*.html", "examples/*/overlay/*.html")))
	require.Greater(t, len(list), 40)
	for _, path := range list {
		b, err := os.ReadFile(filepath.Join("../..", path))
		require.NoError(t, err)
		page := htmlAction.ReplaceAllString(htmlHidden.ReplaceAllString(string(b), ""), "")
		require.NotRegexp(t, `[“”„«»]`, page, path)
	}
}

// A dot between two parts stays in the line of the first one: no line begins with it.
func TestTemplates_KeepADotInItsLine(t *testing.T) {
	list := strings.Fields(string(run(t, "../..", "git", "ls-files", "mfahttp/*.html",
		"examples/*/templates/*.html", "examples/*/overlay/*.html", "examples/*/*.go")))
	require.Greater(t, len(list), 40)
	for _, path := range list {
		b, err := os.ReadFile(filepath.Join("../..", path))
		require.NoError(t, err)
		if !strings.HasSuffix(path, "_test.go") {
			require.NotContains(t, string(b), " ·", "%s: write &nbsp;·", path)
		}
	}
}

// catalogue reads a file of texts.
func catalogue(t *testing.T, path string) (texts map[string]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", path))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &texts), path)
	return texts
}

// Only a code that follows another is a new one.
func TestWords_FirstCodeIsNotANewOne(t *testing.T) {
	pattern := wordPattern(`new code|another code`)
	about := []string{"send.", "verify.", "enroll.", "enrollment.", "mail.code.", "sms."}
	for _, text := range userTexts(t) {
		for _, of := range about {
			if strings.HasPrefix(text.key, of) && pattern.MatchString(text.text) {
				t.Errorf("%s: %q may be about the first code", text.at, text.text)
			}
		}
	}
}

// The document names each kind as the pages do.
func TestWords_AreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/ui-words.md")
	require.NoError(t, err)
	kinds := 0
	for _, text := range userTexts(t) {
		if strings.HasPrefix(text.key, "kind.") {
			kinds++
			require.Contains(t, strings.ToLower(string(doc)), strings.ToLower(text.text), text.at)
		}
	}
	require.Greater(t, kinds, 7)
}

// The check reads every kind of text: pages, mails, text messages, the administration, the tour,
// the templates of the example and of other examples, scripts, and what a program answers.
func TestWords_AreReadWhereverTheyStand(t *testing.T) {
	texts := userTexts(t)
	for at, some := range map[string]string{
		"internal/texts/files/en.json kind.totp":         "Authenticator app",
		"internal/texts/files/en.json mail.confirm.link": "Verify that this is your e-mail",
		"internal/texts/files/en.json sms.code":          "is your code",
		"internal/texts/files/en.json admin.stopped":     "Stopped.",
		"examples/nethttp/tour.go":                       "enter five wrong ones",
		"examples/nethttp/sso.go":                        "Tell the owner of Acme",
		"examples/nethttp/templates/home.html":           "Your second step",
		"examples/nethttp/templates/signon.html":         "its second step counts",
		"examples/nethttp/texts/nl.json":                 "its second step",
		"examples/portal/places.go":                      "Users sign in here",
		"examples/spa/page/signin.js":                    "Wrong address or password.",
		"examples/spa/page/index.html":                   "Password",
		"sso/ssotest/page.html":                          "",
	} {
		require.True(t, slices.ContainsFunc(texts, func(text userText) bool {
			return text.at == at && strings.Contains(text.text, some)
		}), "%s: %s", at, some)
	}
	for _, text := range []string{
		"Please wait.", "Too many wrong answers.", "That code is not right.",
		"The method is stopped.", "Your second factor", "Confirm address", "Send an SMS",
		"It is good for an hour.", "Confirm your e-mail address", "Your email", "Log in again",
	} {
		require.True(t, slices.ContainsFunc(userWords, func(r struct{ word, instead string }) bool {
			return wordPattern(r.word).MatchString(text)
		}), text)
	}
}

// wordPattern matches a word in any case.
func wordPattern(word string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(` + word + `)\b`)
}

// userText is a text that users read: at names its file, and key its key there if it has one.
type userText struct{ at, key, text string }

// userTexts returns the English texts that users read. Those of the library are files. The examples
// have them in templates, in scripts and in their code.
func userTexts(t *testing.T) (texts []userText) {
	t.Helper()
	return allUserTexts.get(func() []userText { return readUserTexts(t) })
}

var allUserTexts shared[[]userText]

func readUserTexts(t *testing.T) (texts []userText) {
	t.Helper()
	add := func(path string, of []string) {
		for _, text := range of {
			texts = append(texts, userText{at: path, text: text})
		}
	}
	for path, file := range syntax(t) {
		if !strings.HasSuffix(path, "_test.go") && isExample(path) {
			add(path, sentencesOf(file))
		}
	}
	for _, path := range strings.Fields(string(run(t, "../..", "git", "ls-files", "*.html",
		"*/texts/en.json", "internal/texts/files/en.json", "examples/nethttp/texts/nl.json",
		"examples/*.js"))) {
		b, err := os.ReadFile(filepath.Join("../..", path))
		require.NoError(t, err)
		switch {
		case strings.HasSuffix(path, ".html"):
			add(path, htmlTexts(string(b)))
		case strings.HasSuffix(path, ".js"):
			add(path, scriptTexts(string(b)))
		default:
			var of map[string]string
			require.NoError(t, json.Unmarshal(b, &of), path)
			if strings.HasSuffix(path, "nl.json") { // by the English text
				add(path, slices.Collect(maps.Keys(of)))
				continue
			}
			for key, text := range of {
				texts = append(texts, userText{path + " " + key, key, text})
			}
		}
	}
	return texts
}

var sentence = regexp.MustCompile(`^\s*[A-Z][a-z’' ].* |^\s*[A-Z][a-z]+ [a-z]`)

// sentencesOf returns the strings of a file that begin like a sentence.
func sentencesOf(file *ast.File) (texts []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		text, ok := literal(e)
		if ok && sentence.MatchString(text) {
			texts = append(texts, text)
		}
		return !ok
	})
	return texts
}

// literal returns the text of a string literal, or of several that are joined.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		a, ok := literal(e.X)
		b, also := literal(e.Y)
		return a + b, ok && also && e.Op == token.ADD
	}
	return "", false
}

var (
	htmlHidden = regexp.MustCompile(`(?s)<!--.*?-->|<style.*?</style>|<script.*?</script>|` +
		`{{/\*.*?\*/}}`)
	htmlAction  = regexp.MustCompile(`(?s){{.*?}}`)
	htmlQuoted  = regexp.MustCompile(`\bt "([A-Z][^"]*)"|"([^"]* [^"]*)"`)
	htmlLabel   = regexp.MustCompile(`\b(?:alt|aria-label|placeholder|title)="([^"]*)"`)
	htmlElement = regexp.MustCompile(`(?s)<[^>]*>`)
)

// htmlTexts returns the texts of a template: what is between its elements, what labels them, and
// the strings that its actions have.
func htmlTexts(page string) (texts []string) {
	page = htmlHidden.ReplaceAllString(page, "")
	page = htmlAction.ReplaceAllStringFunc(page, func(action string) string {
		for _, m := range htmlQuoted.FindAllStringSubmatch(action, -1) {
			texts = append(texts, m[1]+m[2])
		}
		return "\x00"
	})
	for _, m := range htmlLabel.FindAllStringSubmatch(page, -1) {
		texts = append(texts, m[1])
	}
	for _, text := range strings.Split(htmlElement.ReplaceAllString(page, "\n"), "\n") {
		if text = strings.TrimSpace(strings.ReplaceAll(text, "\x00", " ")); text != "" {
			texts = append(texts, html.UnescapeString(text))
		}
	}
	return texts
}

var scriptText = regexp.MustCompile("\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`")

// scriptTexts returns the strings of a script that begin like a sentence.
func scriptTexts(code string) (texts []string) {
	for _, quoted := range scriptText.FindAllString(code, -1) {
		if text := quoted[1 : len(quoted)-1]; sentence.MatchString(text) {
			texts = append(texts, text)
		}
	}
	return texts
}
