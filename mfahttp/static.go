package mfahttp

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// serveStatic serves the files of the pages. A path with the version of the files may be cached
// for ever. A path with another version is from a page of a server before or after an upgrade: the
// response leads to the present version and is not cached, so that no file is kept under a version
// that it does not have. Scripts import each other by relative URLs, and are served with a version
// alone: those that work together come from one directory.
func (h *Handler) serveStatic(w http.ResponseWriter, r *http.Request) {
	file, ok := h.pages.Static(strings.TrimPrefix(r.URL.Path, h.cfg.BasePath+"static/"))
	if !ok {
		h.fail(h.visit(w, r, h.fail), errNotFound)
		return
	}
	script := strings.HasSuffix(file.Name, ".js")
	switch {
	case file.Stale, script && !file.Current:
		http.Redirect(w, r, h.base()+"static/"+h.pages.AssetPath(file.Name), http.StatusSeeOther)
		return
	case file.Current:
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	default:
		w.Header().Set("Cache-Control", "public, max-age=3600")
	}
	if script { // browsers run no module of another type, and a machine may have its own table
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	}
	http.ServeContent(w, r, file.Name, time.Time{}, bytes.NewReader(file.Content))
}
