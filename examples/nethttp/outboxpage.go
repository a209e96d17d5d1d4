package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mailPath is where the outbox has the documents of mails, each under its number.
const mailPath = "/outbox/mail/"

// outboxView is the data of the outbox page.
type outboxView struct {
	Now      time.Time
	Messages []messageView
	Steps    []clockStep
}

type clockStep struct{ Value, Label string }

type messageView struct {
	message
	Code  string // the code in the text, if there is one
	Lines []span
	// Document is the path of the mail's document, or "" for a message that has none.
	Document string
}

// span is a piece of a text. A link leads to this server only.
type span struct {
	Text string
	Link string
}

var (
	codeForm = regexp.MustCompile(`(?:^|\D)(\d{6,8})(?:\D|$)`)
	linkForm = regexp.MustCompile(`https?://[^\s<>"]+`)
)

func (a *app) pageOutbox(w http.ResponseWriter, r *http.Request) {
	list, err := a.outbox.list(r.Context(), 50)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	v, err := a.visitor(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	data := outboxView{Now: a.clock.Now(), Steps: []clockStep{
		{"30s", "30 seconds"}, {"91s", "91 seconds: codes expire"},
		{"181s", "3 minutes: locks end"}, {"24h", "a day"}}}
	own := a.cfg.public.String() + "/"
	for _, m := range list {
		mv := messageView{message: m}
		at := 0
		for _, loc := range linkForm.FindAllStringIndex(m.Text, -1) {
			mv.Lines = append(mv.Lines, span{Text: m.Text[at:loc[0]]})
			s := span{Text: m.Text[loc[0]:loc[1]]}
			if len(s.Text) > len(own) && s.Text[:len(own)] == own {
				s.Link = s.Text
			}
			mv.Lines = append(mv.Lines, s)
			at = loc[1]
		}
		mv.Lines = append(mv.Lines, span{Text: m.Text[at:]})
		if c := codeForm.FindStringSubmatch(linkForm.ReplaceAllString(m.Text, "")); c != nil {
			mv.Code = c[1]
		}
		if m.Rendered {
			mv.Document = fmt.Sprintf("%s%d", mailPath, m.ID)
		}
		data.Messages = append(data.Messages, mv)
	}
	user := v.account
	if !v.signedIn {
		user = nil
	}
	a.show(framing{w}, r, 0, "Outbox", view{Page: "outbox", User: user, Data: data})
}

// framing is the response of a page that shows documents of this server in frames.
type framing struct{ http.ResponseWriter }

// WriteHeader adds frames to what the Content-Security-Policy allows.
func (f framing) WriteHeader(status int) {
	const policy = "Content-Security-Policy"
	f.Header().Set(policy, f.Header().Get(policy)+"; frame-src 'self'")
	f.ResponseWriter.WriteHeader(status)
}

// mailPolicy is what the document of a mail may do, in a frame and in a tab: nothing but look as
// it says. Its links open other tabs. It has an origin of its own, runs no script, loads nothing,
// and only the outbox can frame it.
const mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; " +
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"

// pageMail serves the document of a mail, as a mail program would show it.
func (a *app) pageMail(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	var document string
	if err == nil {
		document, err = a.outbox.document(r.Context(), id)
	}
	if errors.Is(err, errNoMail) || errors.Is(err, strconv.ErrSyntax) ||
		errors.Is(err, strconv.ErrRange) {
		a.showError(w, r, http.StatusNotFound)
		return
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", mailPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	// A link in the frame would lead to a page that refuses to be in one.
	document = strings.Replace(document, "<head>", `<head><base target="_blank">`, 1)
	_, _ = w.Write([]byte(document))
}

func (a *app) postClock(w http.ResponseWriter, r *http.Request) {
	err := parseForm(r)
	var d time.Duration
	if err == nil {
		if d, err = time.ParseDuration(r.PostForm.Get("advance")); err != nil {
			err = errAdvance
		}
	}
	if err == nil {
		err = a.clock.advance(r.Context(), d)
	}
	if err != nil && !errors.Is(err, errAdvance) {
		a.failPage(w, r, err)
		return
	}
	notice := "The clock has moved forward."
	if err != nil {
		notice = "The clock can only be moved forward, by up to a year at a time."
	}
	a.back(w, r, "/outbox", notice)
}
