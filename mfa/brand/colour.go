package brand

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// minContrast is that of WCAG 2.2, success criterion 1.4.3, for text of any size.
const minContrast = 4.5

// Backgrounds are the colours behind the accent colour, or on it, in pages and mails. A test of
// mfahttp compares them with the stylesheet.
var (
	light = []string{"#ffffff", "#f4f5f8"}
	dark  = []string{"#0f1115", "#10131a", "#181b21", "#1b2027", "#20242c"}
)

// Colours are checked accent colours.
type Colours struct {
	// Light and Dark are the accent colour in each mode, as "#rrggbb".
	Light, Dark string
}

// Colours returns the accent colours of a Brand that has been checked, or the zero Colours.
func (b Brand) Colours() Colours {
	if b.Accent == "" {
		return Colours{}
	}
	c := Colours{Light: b.Accent, Dark: b.AccentDark}
	if c.Dark == "" {
		c.Dark = lighter(b.Accent)
	}
	return c
}

func (b Brand) checkColours() error {
	if b.Accent == "" {
		if b.AccentDark != "" {
			return errors.New("AccentDark needs an Accent")
		}
		return nil
	}
	if err := legible("Accent", b.Accent, light, .09); err != nil {
		return err
	}
	if b.AccentDark == "" {
		return nil
	}
	return legible("AccentDark", b.AccentDark, dark, .24)
}

// legible checks a colour against backgrounds, and against the panel that has a part of it.
func legible(field, colour string, backgrounds []string, part float64) error {
	c, err := parse(colour)
	if err != nil {
		return fmt.Errorf("%s %w", field, err)
	}
	for _, name := range backgrounds {
		b, _ := parse(name) // ours
		if r := contrast(c, b); r < minContrast {
			return fmt.Errorf("%s %s has a contrast of %.2f:1 to %s, and needs %.1f:1", field,
				colour, math.Floor(r*100)/100, name, minContrast)
		}
	}
	panel, _ := parse(backgrounds[0])
	if part > .1 {
		panel, _ = parse("#181b21")
	}
	if r := contrast(c, mix(panel, c, part)); r < 3 { // icons: criterion 1.4.11
		return fmt.Errorf("%s %s has a contrast of %.2f:1 to its panel, and needs 3:1", field,
			colour, math.Floor(r*100)/100)
	}
	return nil
}

// lighter returns the first mixture of a colour with white that is legible in dark mode. White
// is.
func lighter(colour string) string {
	c, _ := parse(colour) // checked
	for part := .4; part < 1; part += .05 {
		m := mix(c, rgb{255, 255, 255}, part)
		if legible("", m.String(), dark, .24) == nil {
			return m.String()
		}
	}
	return "#ffffff"
}

// rgb is a colour in sRGB, 0 to 255.
type rgb [3]float64

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])),
		int(math.Round(c[2])))
}

// parse reads "#rrggbb". It is the only form, so that a colour cannot be anything else in a
// stylesheet.
func parse(s string) (c rgb, err error) {
	bad := errors.New("must be a colour such as #7a1fa2")
	if len(s) != 7 || s[0] != '#' {
		return c, bad
	}
	for i := range c {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, bad
		}
		c[i] = float64(n)
	}
	return c, nil
}

// mix is a with a part of b, as color-mix(in srgb) makes it.
func mix(a, b rgb, part float64) (c rgb) {
	for i := range c {
		c[i] = a[i]*(1-part) + b[i]*part
	}
	return c
}

// contrast is the contrast ratio of WCAG 2.2.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(c rgb) float64 {
	linear := func(v float64) float64 {
		if v /= 255; v <= .04045 {
			return v / 12.92
		}
		return math.Pow((v+.055)/1.055, 2.4)
	}
	return .2126*linear(c[0]) + .7152*linear(c[1]) + .0722*linear(c[2])
}
