package admin

import (
	"errors"
	"net/http"
)

type mailsPage struct {
	base
	Types []string
	// Step says that users were counted or mails were sent. Sent is how many mails were sent,
	// with those of the pages before.
	Step            bool
	Matching        int
	Examined        int
	Sent            int
	Results         []resultJSON
	Next            string
	Stopped         bool
	Hidden          []hidden
	Reason, Problem string
}

func pageMails(v *visit) error {
	return v.show(http.StatusOK, "mails", "admin.mails", "", mailsPage{base: v.base("mails"),
		Types: v.h.cfg.UserTypes})
}

// mailForm reads the form of the mails.
func (v *visit) mailForm() (mailing, error) {
	f, err := v.form()
	return mailing{filter: filter{Text: f.Get("text"), Type: f.Get("type")}, Mail: f.Get("mail"),
		Cursor: f.Get("cursor"), Reason: f.Get("reason")}, err
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
	return v.show(status, "mails", "admin.mails", "", mailsPage{base: v.base("mails"), Step: true,
		Matching: out.Matching + v.sum("sum"), Examined: out.Examined + v.sum("seen"),
		Next: out.Next, Hidden: carried(v.r.PostForm, "mail", "type", "text"), Reason: in.Reason,
		Problem: problem})
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
	p := mailsPage{base: v.base("mails"), Step: true, Sent: v.sum("sent"), Results: out.Results,
		Next: out.Next, Stopped: out.Stopped, Matching: out.Matching, Examined: out.Examined,
		Hidden: carried(v.r.PostForm, "mail", "type", "text"), Reason: in.Reason}
	for _, r := range out.Results {
		if r.Error == "" {
			p.Sent++
		}
	}
	return v.show(http.StatusOK, "mails", "admin.mails", "", p)
}
