package mfahttp_test

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page has the QR code of the URI, twice and in less than 4 kB.
func TestPages_HaveASmallQRCode(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	page := p.follow(p.post("/mfa/enroll/totp", url.Values{"secret": {strings.Repeat("A2", 102)}}))
	images := regexp.MustCompile(`<img src="data:image/png;base64,([^"]*)"[^>]*>`).
		FindAllStringSubmatch(page.Text, -1)
	require.Len(t, images, 2)
	require.Less(t, len(images[0][0])+len(images[1][0]), 4000)
	require.Equal(t, images[0], images[1])
	data, err := base64.StdEncoding.DecodeString(images[0][1])
	require.NoError(t, err)
	_, err = png.Decode(bytes.NewReader(data))
	require.NoError(t, err, "a reader finds the URI in it in internal/integration/authenticator")
}
