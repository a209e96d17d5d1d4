package mfahttp

import (
	"net/http"
)

func (h *Handler) openUI() error { h.static = http.NotFoundHandler(); return nil }
func (h *Handler) pageRoutes()   {}
func (v *visit) failPage(p problem) {
	v.w.WriteHeader(p.Status)
}

// Render writes a page of the application's own in the frame and stylesheet of the pages.
func (h *Handler) Render(w http.ResponseWriter, r *http.Request, p Page) error { return nil }
