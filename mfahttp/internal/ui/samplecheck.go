package ui

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// form is a form that a page must have, and the inputs that its route needs.
type form struct {
	action string
	inputs []string
}

// need is a page in one state, and the forms without which a user is stuck there.
type need struct {
	page  Page
	forms []form
}

// sampleNow is the time in the samples.
var sampleNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sampleFrame is the frame of the samples.
var sampleFrame = Frame{Lang: "en", Base: "/mfa/", Product: "Acme", Account: "ann@example.com",
	SigningIn: true, Home: "/home", Login: "/login", Now: sampleNow}

// needs are the states of the pages that templates are executed with.
func needs() []need {
	return slices.Concat(needsOfResponses(), needsOfEnrolments(), needsOfOthers())
}

func needsOfResponses() []need {
	f, now := sampleFrame, sampleNow
	app := Option{Kind: "totp", FactorID: "a1", Name: "Phone"}
	mail := Option{Kind: "email", FactorID: "m1", MaskedDestination: "a•••@example.com",
		Sends: true}
	others := []Option{mail, {Kind: "recovery", FactorID: "r1", Recovery: true}}
	verify := form{"verify", []string{"kind", "code", "purpose", "return"}}
	send := form{"send", []string{"kind", "factor", "purpose", "return"}}
	push := Option{Kind: "push", FactorID: "d1", MaskedDestination: "Ann's phone", Sends: true}
	approve := form{"verify", []string{"kind", "purpose", "return"}} // with nothing to type
	return []need{
		{Verify{Frame: f, Option: app, Others: others, Remember: 14, Lost: true, Return: "/home"},
			[]form{verify}},
		{Verify{Frame: f, Option: mail, Others: others, SecondsRemaining: 80}, []form{send}},
		{Verify{Frame: f, Option: mail, SendNow: true},
			[]form{{"send", append(slices.Clone(send.inputs), "unasked")}}},
		{Verify{Frame: f, Option: mail, Sent: true, SentTo: mail.MaskedDestination,
			SecondsRemaining: 80}, []form{verify, send}},
		{Verify{Frame: f, Option: push, Others: others, SecondsRemaining: 80}, []form{send}},
		{Verify{Frame: f, Option: push, Others: others, Sent: true, Waits: true,
			SentTo: push.MaskedDestination, SecondsRemaining: 80, Remember: 14},
			[]form{approve, send}},
		{Verify{Frame: f, Option: Option{Kind: "pin"}}, []form{verify}},
		{Verify{Frame: f, Option: Option{Kind: "passkey", Sends: true}}, []form{verify}},
		{Verify{Frame: f, Option: Option{Kind: "questions", Recovery: true,
			Questions: []string{"Which book?", "Which street?"}}, Purpose: "replace"},
			[]form{verify}},
		{Verify{Frame: f, Option: Option{Kind: "totp", Disabled: true, Provable: true}},
			[]form{{"unlock", verify.inputs}}},
		{Verify{Frame: f, Option: app, Locked: true, SecondsRemaining: 180,
			Until: now.Add(3 * time.Minute)}, nil},
		{Lost{Frame: f, Recovery: others, Link: true, Support: true},
			[]form{{"lost/link", nil}, {"lost/support", []string{"message"}}}},
	}
}

func needsOfEnrolments() []need {
	f := sampleFrame
	enroll := func(kind string, inputs ...string) need {
		return need{Enroll{Frame: f, Kind: kind, Password: true, Return: "/home",
			Countries: []Country{{"NL", "Netherlands", "31"}}},
			[]form{{"enroll/" + kind, append(inputs, "return", "password")}}}
	}
	waits := []form{{"enrollments/E1", []string{"return"}},
		{"enrollments/E1/resend", []string{"return"}}}
	return []need{
		{Choose{Frame: f, Kinds: []Choice{{Kind: "totp", Direct: true}, {Kind: "sms"}},
			Recovery: true, Questions: true, Return: "/home", Later: &Later{Times: 2}},
			[]form{{"enroll/totp", []string{"return"}}, {"later", []string{"return"}}}},
		enroll("email", "address"), enroll("sms", "number", "region"), enroll("pin", "pin", "pin2"),
		enroll("questions", "question1", "answer1", "question2", "answer2", "question3", "answer3"),
		{Enrollment{Frame: f, ID: "E1", Kind: "totp", Secret: "JBSWY3DPEHPK3PXP",
			URI: "otpauth://totp/Acme:ann?secret=JBSWY3DPEHPK3PXP", QR: `<img src="data:," alt="">`,
			Return: "/home"}, []form{{"enrollments/E1", []string{"code", "return"}}}},
		{Enrollment{Frame: f, ID: "E1", Kind: "sms", MaskedDestination: "••• 78", Sent: true,
			SecondsRemaining: 80}, []form{{"enrollments/E1", []string{"code", "return"}},
			{"enrollments/E1/resend", []string{"return"}}}},
		{Enrollment{Frame: f, ID: "E1", Kind: "push", Sent: true, Waits: true,
			SecondsRemaining: 290}, waits},
		{Enrollment{Frame: f, ID: "E1", Kind: "push", Sent: true, Waits: true}, waits},
		{Enrollment{Frame: f, ID: "E1", Kind: "passkey", Data: "{}", Sent: true},
			[]form{{"enrollments/E1", []string{"code", "return"}}}},
	}
}

func needsOfOthers() []need {
	f, now := sampleFrame, sampleNow
	factor := Factor{ID: "a1", Kind: "totp", Name: "Phone", Created: now, LastUsed: now}
	saved := form{"recovery-codes/saved", []string{"set", "saved", "return"}}
	return []need{
		{Factors{Frame: f, Factors: []Factor{factor, {Kind: "email"}}, HasRecovery: true,
			RecoveryCodesRemaining: 8, CanEnroll: true, HasQuestions: true,
			Devices: []Device{{ID: "d1", Name: "Firefox", Created: now, Expires: now}},
			History: []Event{{now, "admin.event.passed", "totp", true}}, MoreHistory: true}, nil},
		{Factors{Frame: f, HistoryFailed: true}, nil},
		{Setup{Frame: f, Token: "T"}, []form{{"setup", []string{"token"}}}},
		{Setup{Frame: f}, nil},
		{Remove{Frame: f, Factor: factor, Password: true},
			[]form{{"factors/a1/remove", []string{"password"}}}},
		{Recovery{Frame: f, Codes: []string{"7KQ2-M9XD"}}, []form{saved}},
		{Recovery{Frame: f, Remaining: 3, Set: "r1", Unsaved: true, Password: true,
			Return: "/home", Skip: true},
			[]form{{"recovery-codes", []string{"password", "return"}}, saved}},
		{Recovery{Frame: f, Remaining: 3}, []form{{"recovery-codes", []string{"return"}}}},
		{Link{Frame: f, Token: "T"}, []form{{"confirm", []string{"token"}}}},
		{Link{Frame: f}, nil},
		{Continue{Frame: f, To: "/home"}, nil},
		{Error{Frame: f, Code: "budget", RetryAfter: 60}, nil},
		{Error{Frame: f, Code: "reauthenticate"}, []form{{"sign-out", nil}}},
		{Passwordless{Frame: f, Return: "/home"}, nil},
		{PasskeySignals{Frame: f, Passkeys: "{}"}, nil},
		{Offer{Frame: f, Direct: true, To: "/home"}, []form{{"enroll/passkey", []string{"return"}},
			{"offer", []string{"return"}}}},
		{Offer{Frame: f, Here: true, Direct: true, To: "/home"},
			[]form{{"enroll/passkey", []string{"return", "attachment"}}}},
		{Own{Frame: f, Title: "Sign in", Body: "<p>Welcome.</p>"}, nil},
	}
}

// hostile is what a user or an attacker may have typed.
const hostile = `<script>alert(1)</script>"'><b>{time}javascript:` + "\u202e"

// ofFrames is how many variants differ in the Frame.
const ofFrames = 8

// variants are a page in the states beside the one given: with each sort of notice, signed in,
// with nothing, with hostile text, and with each bool of its own turned around. The first are
// those that differ in the Frame.
func variants(p Page) (list []Page) {
	base := reflect.ValueOf(p)
	add := func(change func(v reflect.Value)) {
		v := reflect.New(base.Type()).Elem()
		v.Set(base)
		change(v)
		list = append(list, v.Interface().(Page)) //nolint:forcetypeassert // made of one
	}
	until := p.frame().Now.Add(time.Minute)
	for i, n := range []Notice{{Code: "sent"}, {Code: "incorrect", Kind: "totp", Remaining: 2},
		{Code: "locked", Until: until}, {Code: "pending", Kind: "push", Remaining: -1},
		{Code: "denied", Kind: "push", Remaining: 4},
		{Code: "malformed", Reason: hostile, Kind: hostile, Data: "{}",
			Entered: map[string]string{"name": hostile}}} {
		add(func(v reflect.Value) {
			v.FieldByName("Notice").Set(reflect.ValueOf(&n))
			v.FieldByName("SignedIn").SetBool(i%2 == 0)
			v.FieldByName("SigningIn").SetBool(i == 1)
		})
	}
	add(func(v reflect.Value) {
		f := p.frame()
		v.SetZero()
		v.FieldByName("Lang").SetString(f.Lang)
		v.FieldByName("Base").SetString(f.Base)
	})
	var bools, texts [][]int
	for i := range base.NumField() {
		leaves(base.Field(i), []int{i}, &bools, &texts)
	}
	add(func(v reflect.Value) {
		for _, path := range texts {
			v.FieldByIndex(path).SetString(hostile)
		}
		v.FieldByName("Lang").SetString(p.frame().Lang)
	})
	for _, path := range bools {
		if base.Type().Field(path[0]).Anonymous {
			continue // the frame's are among the notices
		}
		add(func(v reflect.Value) {
			v.FieldByIndex(path).SetBool(!v.FieldByIndex(path).Bool())
		})
	}
	return list
}

// leaves finds the bools and the strings in a value.
func leaves(v reflect.Value, path []int, bools, texts *[][]int) {
	switch {
	case v.Kind() == reflect.Bool:
		*bools = append(*bools, path)
	case v.Type() == reflect.TypeFor[string]():
		*texts = append(*texts, path)
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			leaves(v.Field(i), append(slices.Clone(path), i), bools, texts)
		}
	}
}

// ofFrame are the files around a page. They are given the Frame, and the name and the title of the
// page. So each page is executed once, and a wide and two narrow ones with each variant of the
// Frame.
var (
	ofFrame = []string{"frame.html", "brand.html"}
	framing = []string{"factors.html", "verify.html", "page.html"}
)

// checkSamples executes the pages that the overlay changes, in the states in which that can make a
// difference.
func checkSamples(set *template.Template, o *own, f *faults) {
	around, parts := false, false
	for _, name := range o.html {
		around = around || slices.Contains(ofFrame, name)
		parts = parts || !slices.Contains(ofFrame, name) &&
			views[strings.TrimSuffix(name, ".html")] == nil // all pages may use it
	}
	var b bytes.Buffer
	framed := map[string]bool{}
	for _, n := range needs() {
		name := n.page.name() + ".html"
		whole := parts || slices.Contains(o.html, name)
		if !whole && (!around || framed[name]) {
			continue
		}
		if !f.execute(set, &b, n.page) {
			continue
		}
		checkForms(b.String(), n, f)
		list := variants(n.page)
		if !whole {
			list = list[:ofFrames]
			if framed[name] = true; !slices.Contains(framing, name) {
				list = nil
			}
		}
		for _, p := range list {
			if !f.execute(set, &b, p) {
				break
			}
		}
	}
}

// execute reports whether a page can be executed.
func (f *faults) execute(set *template.Template, b *bytes.Buffer, p Page) bool {
	b.Reset()
	err := set.ExecuteTemplate(b, p.name()+".html", p)
	if err != nil {
		f.add("%s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/"), "template: "))
	}
	return err == nil
}

var (
	formTag = regexp.MustCompile(`(?is)<(/?)(form|input|select|textarea|button)\b` +
		`((?:[^<>"']|"[^"]*"|'[^']*')*)>`)
	attribute = regexp.MustCompile(`(?s)([^\s=/]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)`)
	formStart = regexp.MustCompile(`(?i)<form\b`)
)

// markForms lets each form of a template say where it is. The attribute is in the copy that is
// checked alone.
func markForms(name, source string) string {
	lines := strings.Split(source, "\n")
	for i, line := range lines {
		lines[i] = formStart.ReplaceAllString(line,
			`<form data-sg-at="`+name+":"+strconv.Itoa(i+1)+`"`)
	}
	return strings.Join(lines, "\n")
}

// shown is a form of a page.
type shown struct {
	at, method string
	names      map[string]bool
}

// formsOf returns the forms of a page by their action. Of several with one action, a form that
// does not post is the one returned.
func formsOf(page string) map[string]*shown {
	found := map[string]*shown{}
	var in *shown
	for _, m := range formTag.FindAllStringSubmatch(page, -1) {
		attrs := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			attrs[strings.ToLower(a[1])] = strings.Trim(a[2], `"'`)
		}
		switch tag := strings.ToLower(m[2]); {
		case tag == "form" && m[1] != "":
			in = nil
		case tag == "form":
			method := strings.ToLower(attrs["method"])
			in = found[attrs["action"]]
			if in == nil || method != "post" && in.method == "post" {
				names := map[string]bool{}
				if in != nil {
					names = in.names
				}
				in = &shown{at: attrs["data-sg-at"], method: method, names: names}
				found[attrs["action"]] = in
			}
		case in != nil && m[1] == "":
			in.names[attrs["name"]] = true
			if to := attrs["formaction"]; to != "" { // it submits the same inputs elsewhere
				found[to] = &shown{at: in.at, method: cmp.Or(strings.ToLower(attrs["formmethod"]),
					in.method), names: in.names}
			}
		}
	}
	return found
}

// checkForms refuses a page whose user could not go on.
func checkForms(page string, n need, f *faults) {
	forms := formsOf(page)
	for _, want := range n.forms {
		where := n.page.name() + ".html:1"
		got := forms[n.page.frame().Base+want.action]
		if got == nil {
			f.add("%s: a form with action=\"{{.Base}}%s\" is missing (%s)", where, want.action,
				stateOf(n.page))
			continue
		}
		if got.at != "" {
			where = got.at
		}
		if got.method != "post" {
			f.add("%s: the form %s needs method=\"post\"", where, want.action)
		}
		for _, name := range want.inputs {
			if !got.names[name] {
				f.add("%s: the form %s has no input with name=%q, which its route needs; it "+
					"needs %s", where, want.action, name, strings.Join(want.inputs, ", "))
			}
		}
	}
}

// stateOf says which state of a page a fault is about.
func stateOf(p Page) string {
	switch p := p.(type) {
	case Verify:
		return fmt.Sprintf("Kind %s, Sends %t, Sent %t, Waits %t, Disabled %t", p.Option.Kind,
			p.Option.Sends, p.Sent, p.Waits, p.Option.Disabled)
	case Enroll:
		return "Kind " + p.Kind
	case Enrollment:
		return fmt.Sprintf("Kind %s, Sent %t, Waits %t", p.Kind, p.Sent, p.Waits)
	}
	return "with what the page can be given"
}
