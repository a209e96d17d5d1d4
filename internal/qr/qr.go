// Package qr draws QR codes, as images, as SVG documents and in block characters.
package qr

import (
	"bytes"
	"encoding/base64"
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

// Code is the modules of a QR code row by row, dark ones true, with the quiet zone of four
// light modules on each side.
type Code [][]bool

// New returns text as a QR code, or an error for text that is empty or longer than 1536 bytes.
func New(text string) (Code, error) {
	if text == "" || len(text) > maxQR {
		return nil, fmt.Errorf("a QR code is made of 1 to %d bytes, not of %d", maxQR,
			len(text))
	}
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("QR code of %d bytes: %w", len(text), err)
	}
	return q.Bitmap(), nil
}

// PNG returns the code as an image, eight pixels a module, black on white, with the quiet zone.
func (m Code) PNG() ([]byte, error) { return m.image(pixels, png.DefaultCompression) }

// DataURI returns the code as a data: URI of an image, one pixel a module, black on white, with
// the quiet zone. It is smaller than the SVG document by far, and takes no compression. A page
// enlarges it without smoothing.
func (m Code) DataURI() (string, error) {
	b, err := m.image(1, png.NoCompression)
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b), err
}

func (m Code) image(pixels int, level png.CompressionLevel) ([]byte, error) {
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
	if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, img); err != nil {
		return nil, fmt.Errorf("QR code as PNG: %w", err)
	}
	return b.Bytes(), nil
}

// SVG returns the code as an SVG document of one path, black on white whatever the page's colours,
// with the quiet zone. The path is the middle lines of the runs of dark modules, each relative to
// the end of the run before: half the length of the runs' outlines.
func (m Code) SVG() string {
	n := strconv.Itoa(len(m))
	// The first row of modules has its middle line at zero.
	b := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -.5 ` + n + ` ` + n +
		`" role="img" aria-label="QR code" shape-rendering="crispEdges"><rect y="-.5" width="100%" height="100%" fill="#fff"/><path stroke="#000" d="`)
	endX, endY := 0, 0
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			b = fmt.Appendf(b, "m%d %dh%d", x-endX, y-endY, run)
			x += run
			endX, endY = x, y
		}
	}
	return string(append(b, `"/></svg>`...))
}

// Terminal returns the code in block characters, each two modules high, for a terminal with light
// text on a dark ground.
func (m Code) Terminal() string {
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
