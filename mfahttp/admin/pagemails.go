package admin

import (
	"errors"
	"html/template"
	"net/http"
	"strconv"
)

type mailsPage struct {
	base
	Types  []string
	Mail   string
	Filter filter
	// Step says that users were counted, and Sending that mails were sent.
	Step, Sending bool
	Matching      int
	Examined      int
	// Total is how many users the mail is for, if they were all counted; Sent and Failed are what
	// became of the mails so far.
	Total, Sent, Failed int
	Results             []resultJSON
	Next                string
	Stopped             bool
	// Pause says that the next step waits for the administrator, because a rate limit or a failure
	// stopped this one.
	Pause           bool
	Hidden, Sums    []hidden
	Reason, Problem string
}

// Tried is how many mails were sent or could not be sent.
func (p mailsPage) Tried() int { return p.Sent + p.Failed }

// Percent is how much of the work is done.
func (p mailsPage) Percent() int { return min(100, p.Tried()*100/max(1, p.Total)) }

// Shown is the filter as a query, or "".
func (p mailsPage) Shown() template.URL {
	if p.Filter == (filter{}) {
		return ""
	}
	return template.URL(p.Filter.values().Encode()) //nolint:gosec // encoded
}

// filtered are the fields of a form that say which users a mail is for.
var filtered = []string{"text", "type", "status", "kind"}

// queried reads a filter from the query of the request.
func (v *visit) queried() (filter, error) {
	var f filter
	for name, into := range f.fields() {
		var err error
		if *into, err = v.param(name, maxText); err != nil {
			return f, err
		}
	}
	return f, f.check()
}

// pageResend counts the users whom a link to verify their address is for, of those that the list
// shows.
func pageResend(v *visit) error {
	f, err := v.queried()
	if err != nil {
		return err
	}
	return v.showMailPreview(mailing{filter: f, Mail: "verification"}, "")
}

func pageMails(v *visit) error {
	f, err := v.queried()
	if err != nil {
		return err
	}
	p := mailsPage{base: v.base("mails"), Types: v.h.cfg.UserTypes, Filter: f}
	if typed := v.kept(v.mailsForm()); typed != nil {
		p.Mail, p.Reason = typed.Get("mail"), trimmed(typed, "reason", maxReason)
		for name, into := range p.Filter.fields() {
			*into = typed.Get(name)
		}
		if p.Filter.check() != nil {
			p.Filter = f
		}
	}
	v.keep(&p.base, v.mailsForm())
	p.Hidden = carriedFrom(p.Filter)
	return v.show(http.StatusOK, "mails", "admin.mails", "", p)
}

// fields are the fields of a filter by the names that forms and queries have.
func (f *filter) fields() map[string]*string {
	return map[string]*string{"text": &f.Text, "type": &f.Type, "status": &f.Status,
		"kind": &f.Kind}
}

// carriedFrom are the fields of a filter that is not empty.
func carriedFrom(f filter) []hidden {
	if f == (filter{}) {
		return nil
	}
	return carried(f.values(), filtered...)
}

// mailForm reads the form of the mails.
func (v *visit) mailForm() (mailing, error) {
	f, err := v.form()
	in := mailing{Mail: f.Get("mail"), Cursor: f.Get("cursor"), Reason: f.Get("reason")}
	for name, into := range in.filter.fields() {
		*into = f.Get(name)
	}
	return in, err
}

// mailPage is what the pages of a mail have in common.
func (v *visit) mailPage(in mailing, out mailsJSON) mailsPage {
	p := mailsPage{base: v.base("mails"), Mail: in.Mail, Filter: in.filter, Step: true,
		Matching: out.Matching, Examined: out.Examined, Results: out.Results, Next: out.Next,
		Stopped: out.Stopped, Reason: in.Reason,
		Hidden: append([]hidden{{"mail", in.Mail}}, carriedFrom(in.filter)...)}
	v.keep(&p.base, v.mailsForm())
	return p
}

// pageMailPreview counts the users whom a mail is for, with those that the pages before counted.
func pageMailPreview(v *visit) error {
	in, err := v.mailForm()
	if err == nil {
		err = v.mayList()
	}
	if err != nil {
		return err
	}
	return v.showMailPreview(in, "")
}

func (v *visit) showMailPreview(in mailing, problem string) error {
	out, err := v.mailing(in, maxExamined, func(Entry) {})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	p := v.mailPage(in, out)
	p.Matching, p.Examined, p.Problem = p.Matching+v.sum("sum"), p.Examined+v.sum("seen"), problem
	return v.show(status, "mails", "admin.mails", "", p)
}

// postMailPage sends the mail to the next users whom it is for.
func postMailPage(v *visit) error {
	in, err := v.mailForm()
	if err != nil {
		return err
	}
	out, err := v.sendMails(in)
	if errors.Is(err, errReason) {
		return v.showMailPreview(in, "reason")
	}
	if err != nil {
		return err
	}
	p := v.mailPage(in, out)
	p.Sending, p.Pause = true, out.Stopped || out.RetryAfter > 0
	p.Sent, p.Failed, p.Total = v.sum("sent"), v.sum("failed"), v.sum("total")
	for _, r := range out.Results {
		if r.Error == "" {
			p.Sent++
			p.Pause = out.Stopped // the limit is one user's
		} else {
			p.Failed++
		}
	}
	p.Sums = []hidden{{"sent", strconv.Itoa(p.Sent)}, {"failed", strconv.Itoa(p.Failed)},
		{"total", strconv.Itoa(p.Total)}}
	return v.show(http.StatusOK, "mails", "admin.mails", "", p)
}
