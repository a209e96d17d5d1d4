package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/examples/customfactor"
)

// phones stand in for the phones of all users, and for the push service. A real phone has its key
// in its own hardware, and posts its answers to /answers.
type phones struct {
	answers customfactor.Answers

	mu       sync.Mutex
	requests map[string]customfactor.Request // the latest, by device
	keys     map[string]ed25519.PrivateKey
}

// push keeps a request for the device.
func (p *phones) push(_ context.Context, r customfactor.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.requests == nil {
		p.requests = map[string]customfactor.Request{}
	}
	p.requests[r.Device] = r
	return nil
}

// answer signs what the user of a device decided. The first answer of a device has its key.
func (p *phones) answer(device, number string, approve bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	answer := customfactor.Answer{Challenge: p.requests[device].Challenge, Number: number,
		Approve: approve}
	key, enrolled := p.keys[device]
	if !enrolled {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		if p.keys == nil {
			p.keys = map[string]ed25519.PrivateKey{}
		}
		p.keys[device], key, answer.Key = private, private, public
	}
	answer.Sign(key)
	p.answers.Put(answer)
	return nil
}

var devicePage = template.Must(template.New("").Parse(`{{if .Answered}}<p>Done.</p>{{else}}
<p>Are you signing in to Acme? Type the number that the page shows.</p>
<form method="post"><input type="hidden" name="device" value="{{.Device}}">
<div class="sg-field"><label for="number">Number</label>
<div class="sg-input"><input id="number" name="number" inputmode="numeric" autocomplete="off"></div></div>
<button class="sg-button" name="approve" value="yes">Approve</button>
<button class="sg-button" name="approve" value="no">It is not me</button></form>{{end}}`))

// device is the page of the application on the phone.
func (s *site) device(w http.ResponseWriter, r *http.Request) {
	shown := struct {
		Device   string
		Answered bool
	}{r.FormValue("device"), r.Method == http.MethodPost}
	if shown.Answered {
		err := s.phones.answer(shown.Device, r.PostFormValue("number"),
			r.PostFormValue("approve") == "yes")
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	var b strings.Builder
	if err := devicePage.Execute(&b, shown); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.page("A phone", template.HTML(b.String()))(w, r) //nolint:gosec // of html/template
}
