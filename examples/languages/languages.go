// Package languages adds Catalan to the pages and the mails, and changes one English text. The
// Catalan of the example has some texts only; docs/languages.md says where the whole list is.
package languages

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

//go:embed overlay
var files embed.FS

// compose writes the mail with a code in Catalan. Every other mail is the built-in one.
func compose(c email.Content) (email.Message, error) {
	language, _, _ := strings.Cut(c.Locale, "-")
	if language != "ca" || c.Notice != "" || c.Code.IsZero() {
		return email.Compose(c)
	}
	text := "El codi de " + c.ServiceName + " és " + c.Code.Reveal() + ".\n"
	if !c.Link.IsZero() {
		text += "També podeu obrir " + c.Link.Reveal() + "\n"
	}
	text += "Si no heu demanat res, canvieu la contrasenya.\n"
	return email.Message{Subject: "El codi per iniciar la sessió", Text: secret.New(text)}, nil
}

// New returns the pages in the languages of the library and in Catalan.
func New(
	store storage.Store, keys *seal.Keyring, sender email.Sender,
	identify func(*http.Request) (mfahttp.Identity, error),
) (*mfahttp.Handler, error) {
	mail, err := email.New(email.Config{Sender: sender, ServiceName: "Acme", Compose: compose})
	if err != nil {
		return nil, err
	}
	manager, err := mfa.New(mfa.Config{Store: store, Keys: keys, Factors: []factor.Factor{mail},
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}})})
	if err != nil {
		return nil, err
	}
	overlay, err := fs.Sub(files, "overlay")
	if err != nil {
		return nil, err
	}
	return mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys, Identify: identify,
		LoginURL: "/login", ProductName: "Acme", Templates: overlay})
}
