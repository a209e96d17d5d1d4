package mfahttp

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
)

// plain are plain pages, in English: everything works, nothing is pretty.
//
//go:embed plain
var plain embed.FS

var plainTexts = map[string]string{
	"unauthorized":  "Please sign in first.",
	"forbidden":     "You cannot do this.",
	"step_up":       "Please confirm that it is you first.",
	"password":      "That is not your current password.",
	"incorrect":     "That is not right. Please try again.",
	"expired":       "It took too long, or it was finished elsewhere. Please begin again.",
	"locked":        "Too many wrong answers. Please wait.",
	"stopped":       "This method was stopped after too many wrong answers. Use another one, or ask your administrator.",
	"budget":        "Too many codes were sent. Please wait a while.",
	"unavailable":   "Something is out of order on our side. Please try again.",
	"malformed":     "That does not look right. Please check it.",
	"not_available": "This method is not available.",
	"not_found":     "There is nothing here.",
	noteSent:        "A new code is on its way.",
	noteAdded:       "The new method is ready.",
	noteRemoved:     "The method was removed.",
	noteRenamed:     "The name was changed.",
	noteRecovered:   "You used a recovery code. Replace what you lost, and make new codes when few are left.",
	"totp":          "Authenticator app", "email": "E-mail", "sms": "Text message", "pin": "PIN", kindRecovery: "Recovery code",
}

func (h *Handler) openUI() error {
	base, err := fs.Sub(plain, "plain")
	if err != nil {
		return err
	}
	text := func(code string) string {
		if s, ok := plainTexts[code]; ok {
			return s
		}
		return code
	}
	h.pages = template.New("").Funcs(template.FuncMap{"text": text})
	names, err := fs.Glob(base, "*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := fs.ReadFile(base, name)
		if h.cfg.Templates != nil {
			own, ownErr := fs.ReadFile(h.cfg.Templates, name)
			switch {
			case ownErr == nil:
				b = own
			case !errors.Is(ownErr, fs.ErrNotExist):
				err = ownErr
			}
		}
		if err == nil {
			_, err = h.pages.New(name).Parse(string(b))
		}
		if err != nil {
			return fmt.Errorf("mfahttp: Config.Templates: %s: %w", name, err)
		}
	}
	files := http.StripPrefix(h.cfg.BasePath+"static/", http.FileServerFS(base))
	h.static = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		files.ServeHTTP(w, r)
	})
	return nil
}
