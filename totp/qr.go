package totp

import (
	"fmt"

	"github.com/secondgate/secondgate/internal/qr"
)

// QRPNG returns text, an otpauth URI as a rule, as a QR code in a PNG image, eight pixels a
// module, black on white, with the quiet zone. It has an error for text that is empty or longer
// than 1536 bytes. The image is as secret as the text: serve it with Cache-Control: no-store
// or inside the page.
func QRPNG(text string) ([]byte, error) {
	m, err := newQR(text)
	if err != nil {
		return nil, err
	}
	return m.PNG()
}

// QRSVG returns text as a QR code in an SVG document of one path, black on white whatever the
// page's colours, with the quiet zone. Errors and secrecy are those of [QRPNG].
func QRSVG(text string) (string, error) {
	m, err := newQR(text)
	if err != nil {
		return "", err
	}
	return m.SVG(), nil
}

// QRTerminal returns text as a QR code in block characters, each two modules high, for a
// terminal with light text on a dark ground, which the quiet zone is drawn for. Errors and
// secrecy are those of [QRPNG].
func QRTerminal(text string) (string, error) {
	m, err := newQR(text)
	if err != nil {
		return "", err
	}
	return m.Terminal(), nil
}

func newQR(text string) (qr.Code, error) {
	code, err := qr.New(text)
	if err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	return code, nil
}
