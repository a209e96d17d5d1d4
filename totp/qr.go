package totp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"
)

const (
	// maxQR is how long a text QR codes are made of, in bytes. The longest URI of an enrolment
	// is shorter; at level M a code holds 2331, which few cameras can read from a screen.
	maxQR = 1536
	// pixels is the width of a module of a PNG: enough for a camera on any screen.
	pixels = 8
)

// matrix is the modules of a QR code row by row, dark ones true, with the quiet zone of four
// light modules on each side.
type matrix [][]bool

func newQR(text string) (matrix, error) {
	if text == "" || len(text) > maxQR {
		return nil, fmt.Errorf("totp: a QR code is made of 1 to %d bytes, not of %d", maxQR,
			len(text))
	}
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("totp: QR code of %d bytes: %w", len(text), err)
	}
	return q.Bitmap(), nil
}

// QRPNG returns text, an otpauth URI as a rule, as a QR code in a PNG image, eight pixels a
// module, black on white, with the quiet zone. It has an error for text that is empty or longer
// than 1536 bytes. The image is as secret as the text: serve it with Cache-Control: no-store
// or inside the page.
func QRPNG(text string) ([]byte, error) {
	m, err := newQR(text)
	if err != nil {
		return nil, err
	}
	return m.png()
}

// QRSVG returns text as a QR code in an SVG document of one path, black on white whatever the
// page's colours, with the quiet zone. Errors and secrecy are those of [QRPNG].
func QRSVG(text string) (string, error) {
	m, err := newQR(text)
	if err != nil {
		return "", err
	}
	return m.svg(), nil
}

// QRTerminal returns text as a QR code in block characters, each two modules high, for a
// terminal with light text on a dark ground, which the quiet zone is drawn for. Errors and
// secrecy are those of [QRPNG].
func QRTerminal(text string) (string, error) {
	m, err := newQR(text)
	if err != nil {
		return "", err
	}
	return m.terminal(), nil
}

func (m matrix) png() ([]byte, error) {
	// With a palette of two colours a pixel takes one bit.
	img := image.NewPaletted(image.Rect(0, 0, len(m)*pixels, len(m)*pixels),
		color.Palette{color.White, color.Black})
	for y := range img.Rect.Dy() {
		line := img.Pix[y*img.Stride:][:img.Stride]
		for x := range line {
			if m[y/pixels][x/pixels] {
				line[x] = 1
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("totp: QR code as PNG: %w", err)
	}
	return b.Bytes(), nil
}

func (m matrix) svg() string {
	n := strconv.Itoa(len(m))
	b := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + n + ` ` + n +
		`" role="img" aria-label="QR code" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="`)
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			b = fmt.Appendf(b, "M%d %dh%dv1h-%dz", x, y, run, run)
			x += run
		}
	}
	return string(append(b, `"/></svg>`...))
}

func (m matrix) terminal() string {
	var b strings.Builder
	for y := 0; y < len(m); y += 2 {
		for x, upper := range m[y] {
			// There is an odd number of rows; below the last one is the dark ground.
			switch lower := y+1 == len(m) || m[y+1][x]; {
			case upper && lower:
				b.WriteString(" ")
			case upper:
				b.WriteString("▄")
			case lower:
				b.WriteString("▀")
			default:
				b.WriteString("█")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
