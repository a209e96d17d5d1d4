package mfahttp_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// static asks for a static file with headers, and undoes nothing of the encoding.
func (s *site) static(t *testing.T, method, name string, headers ...string) (
	*http.Response, []byte,
) {
	t.Helper()
	r := httptest.NewRequest(method, "/mfa/static/"+name, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w.Result(), w.Body.Bytes()
}

// A browser gets each file compressed, and a client that does not accept that gets it as it is.
func TestStatic_IsCompressedForClientsThatAcceptIt(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.Templates = fstest.MapFS{
			"static/notes":    {Data: bytes.Repeat([]byte("plain text "), 100)},
			"static/dense.js": {Data: []byte("x")}}
	})
	_, plain := s.static(t, "GET", "app.css")
	for accepted, compressed := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, GZIP;q=0.1": true, "*": true,
		"x-gzip": true, "gzip;q=0.001": true, "identity, *;q=0, gzip": true,
		"": false, "br": false, "gzip;q=0": false, "*, gzip; q=0.000": false, "*;q=0": false,
		"notgzip": false,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r, body := s.static(t, method, "app.css", "Accept-Encoding", accepted)
			require.Equal(t, 200, r.StatusCode)
			require.Equal(t, []string{"Accept-Encoding"}, r.Header.Values("Vary"), accepted)
			require.Equal(t, "text/css; charset=utf-8", r.Header.Get("Content-Type"))
			if method == "HEAD" {
				require.Empty(t, body)
				continue
			}
			require.Equal(t, compressed, r.Header.Get("Content-Encoding") == "gzip", accepted)
			if compressed {
				require.Less(t, len(body), len(plain)/3)
				body = unzipped(t, body)
			}
			require.Equal(t, plain, body)
		}
	}
	r, body := s.static(t, "GET", "notes", "Accept-Encoding", "gzip")
	require.Equal(t, "text/plain; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, strings.Repeat("plain text ", 100), string(unzipped(t, body)))
	r, _ = s.static(t, "GET", "theme.css", "Accept-Encoding", "gzip")
	require.Empty(t, r.Header.Get("Content-Encoding")+r.Header.Get("Vary"), "it has no bytes")
}

func unzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	b, err = io.ReadAll(r)
	require.NoError(t, err)
	return b
}

// A response of 304 says that the file that a client kept is the present one, in the encoding that
// it kept and in no other. A range is one of the file itself.
func TestStatic_TagsNameOneContent(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.Templates = fstest.MapFS{"static/copy.css": {Data: []byte("a { color: red }")}}
	})
	other := newSite(t, nil)
	zip := []string{"Accept-Encoding", "gzip"}
	r, plain := s.static(t, "GET", "app.css")
	tag := r.Header.Get("ETag")
	require.Regexp(t, `^"[0-9a-f]{64}"$`, tag)
	r, _ = s.static(t, "GET", "app.css", zip...)
	zipTag := r.Header.Get("ETag")
	require.NotEqual(t, tag, zipTag)
	again, _ := other.static(t, "GET", "app.css", zip...)
	require.Equal(t, zipTag, again.Header.Get("ETag"), "every process gives the same")
	changed, _ := s.static(t, "GET", "copy.css")
	require.NotEqual(t, tag, changed.Header.Get("ETag"))

	for _, method := range []string{"GET", "HEAD"} {
		for _, c := range []struct {
			headers []string
			status  int
		}{
			{[]string{"If-None-Match", tag}, 304},
			{append(zip, "If-None-Match", zipTag), 304},
			{append(zip, "If-None-Match", `"x", `+zipTag), 304},
			{append(zip, "If-None-Match", tag), 200},
			{[]string{"If-None-Match", zipTag}, 200},
			{[]string{"If-None-Match", changed.Header.Get("ETag")}, 200},
		} {
			r, body := s.static(t, method, "app.css", c.headers...)
			require.Equal(t, c.status, r.StatusCode, c.headers)
			require.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
			if c.status == 304 {
				require.Empty(t, body)
				require.Empty(t, r.Header.Get("Content-Encoding"))
				require.NotEmpty(t, r.Header.Get("ETag"))
			}
		}
	}
	r, body := s.static(t, "GET", "app.css", append(zip, "Range", "bytes=10-19")...)
	require.Equal(t, 206, r.StatusCode)
	require.Empty(t, r.Header.Get("Content-Encoding"))
	require.Equal(t, fmt.Sprintf("bytes 10-19/%d", len(plain)), r.Header.Get("Content-Range"))
	require.Equal(t, plain[10:20], body)
	r, _ = s.static(t, "GET", "app.css", append(zip, "Range", "bytes=10-19", "If-Range", zipTag)...)
	require.Equal(t, 200, r.StatusCode, "a part of the compressed file is not completed by this one")
}
