package mfahttp

import (
	"bytes"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// serveStatic serves the files of the pages. A path with the version of the files may be cached
// for ever. A path with another version is from a page of a server before or after an upgrade: the
// response leads to the present version and is not cached, so that no file is kept under a version
// that it does not have. A client asks for a file that it kept by the hash of its content. Scripts
// import each other by relative URLs, and are served with a version alone: those that work together
// come from one directory.
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
	content, tag := file.Content, file.Sum
	if file.Gzipped != nil {
		w.Header().Add("Vary", "Accept-Encoding")
		// The bytes of a range are those of the file itself, whatever the client accepts.
		if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Values("Accept-Encoding")) {
			typed(w.Header(), file)
			w.Header().Set("Content-Encoding", "gzip")
			content, tag = file.Gzipped, tag+"-gzip"
		}
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, file.Name, time.Time{}, bytes.NewReader(content))
}

// typed sets the type of a file from its name or its content. ServeContent would read it from the
// compressed bytes.
func typed(header http.Header, file ui.Asset) {
	if header.Get("Content-Type") != "" {
		return
	}
	kind := mime.TypeByExtension(path.Ext(file.Name))
	if kind == "" {
		kind = http.DetectContentType(file.Content)
	}
	header.Set("Content-Type", kind)
}

// acceptsGzip reports whether a client accepts the encoding gzip (RFC 9110 section 12.5.3). A
// client that says nothing of encodings may not know any.
func acceptsGzip(accepted []string) bool {
	others := false
	for coding := range strings.SplitSeq(strings.Join(accepted, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return !isZero(weight)
		case "*":
			others = !isZero(weight)
		}
	}
	return others
}

// isZero reports whether a weight, such as "q=0.000", refuses what has it.
func isZero(weight string) bool {
	q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
	return ok && strings.Trim(q, "0.") == ""
}
