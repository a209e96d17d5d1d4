package totp

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"
)

// maxQR is how long a text QR codes are made of; at level M a code holds 2331 bytes, and
// screens and cameras give up before.
const maxQR = 1024

func newQR(text string) (*qrcode.QRCode, error) {
	if text == "" || len(text) > maxQR {
		return nil, fmt.Errorf("totp: a QR code is made of 1 to %d bytes, not of %d", maxQR, len(text))
	}
	return qrcode.New(text, qrcode.Medium)
}

// QRPNG returns text, an otpauth URI as a rule, as a QR code in a PNG image, eight pixels a
// module, black on white, with the quiet zone. The image is as secret as the text: serve it
// with Cache-Control: no-store or inside the page.
func QRPNG(text string) ([]byte, error) {
	q, err := newQR(text)
	if err != nil {
		return nil, err
	}
	return q.PNG(-8)
}

// QRSVG returns text as a QR code in an SVG document of one path, black on white whatever the
// page's colours, with the quiet zone. It is as secret as the text.
func QRSVG(text string) (string, error) {
	q, err := newQR(text)
	if err != nil {
		return "", err
	}
	rows := q.Bitmap()
	n := strconv.Itoa(len(rows))
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + n + ` ` + n +
		`" role="img" aria-label="QR code" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path d="`)
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, run, run)
			x += run
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}

// QRTerminal returns text as a QR code in block characters, two modules a character in height,
// for a terminal with light text on a dark ground. It is as secret as the text.
func QRTerminal(text string) (string, error) {
	q, err := newQR(text)
	if err != nil {
		return "", err
	}
	return q.ToSmallString(false), nil
}
