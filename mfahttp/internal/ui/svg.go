package ui

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"
)

// maxIcon bounds an icon. One that is drawn by hand has less than a kilobyte.
const maxIcon = 16 << 10

// shapes are the elements that an icon may have, and drawing the attributes. There is none that
// runs anything or refers to anything.
var (
	shapes  = []string{"g", "path", "circle", "ellipse", "line", "polyline", "polygon", "rect"}
	drawing = []string{"d", "cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "width",
		"height", "points", "transform", "fill", "fill-rule", "clip-rule", "fill-opacity", "stroke",
		"stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
		"stroke-dasharray", "stroke-opacity", "opacity"}
	drawn = regexp.MustCompile(`^[A-Za-z0-9#.,()+\-% \t\n]*$`)
	box   = regexp.MustCompile(`^-?[0-9.]+ -?[0-9.]+ [0-9.]+ [0-9.]+$`)
)

// readIcon reads an SVG document and writes what it draws as an icon of the pages: of their size,
// hidden from screen readers, and with their lines if it says no other.
func readIcon(svg []byte) (template.HTML, error) {
	if len(svg) > maxIcon {
		return "", fmt.Errorf("%d bytes are too many: at most %d", len(svg), maxIcon)
	}
	d := xml.NewDecoder(bytes.NewReader(svg))
	var b strings.Builder
	depth := 0
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && b.Len() > 0:
			return template.HTML(b.String()), nil //nolint:gosec // only what is listed above
		case err != nil:
			return "", fmt.Errorf("no SVG document: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				err = writeRoot(&b, token)
			} else {
				err = writeShape(&b, token)
			}
		case xml.EndElement:
			depth--
			b.WriteString("</" + token.Name.Local + ">")
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				err = errors.New("it has text: draw the letters as paths")
			}
		case xml.Directive:
			err = errors.New("it has a document type: leave it out")
		}
		if err != nil {
			return "", err
		}
	}
}

// writeRoot writes the svg element.
func writeRoot(b *strings.Builder, e xml.StartElement) error {
	if e.Name.Local != "svg" {
		return fmt.Errorf("the document is <%s>, not <svg>", e.Name.Local)
	}
	view, style := "", ""
	for _, a := range e.Attr {
		switch name := a.Name.Local; {
		case name == "viewBox":
			view = a.Value
		case name == "width", name == "height", name == "xmlns", a.Name.Space != "":
		default:
			if err := checkDrawing(a); err != nil {
				return err
			}
			style += fmt.Sprintf(` %s="%s"`, name, a.Value)
		}
	}
	if !box.MatchString(view) {
		return errors.New(`the svg element needs a viewBox, such as "0 0 24 24"`)
	}
	if style == "" {
		style = lines
	}
	_, err := fmt.Fprintf(b, iconHead, "sg-icon", view, strings.TrimSpace(style))
	return err
}

func writeShape(b *strings.Builder, e xml.StartElement) error {
	if !slices.Contains(shapes, e.Name.Local) {
		return fmt.Errorf("<%s> is not allowed; there are %v", e.Name.Local, shapes)
	}
	b.WriteString("<" + e.Name.Local)
	for _, a := range e.Attr {
		if err := checkDrawing(a); err != nil {
			return err
		}
		b.WriteString(" " + a.Name.Local + `="` + a.Value + `"`)
	}
	b.WriteString(">")
	return nil
}

// checkDrawing accepts attributes that draw, with values that refer to nothing. Such a value needs
// no escaping.
func checkDrawing(a xml.Attr) error {
	if a.Name.Space != "" || !slices.Contains(drawing, a.Name.Local) {
		return fmt.Errorf("the attribute %s is not allowed; there are %v", a.Name.Local, drawing)
	}
	if !drawn.MatchString(a.Value) || strings.Contains(strings.ToLower(a.Value), "url") {
		return fmt.Errorf("the value of %s must be plain: numbers, letters or a colour",
			a.Name.Local)
	}
	return nil
}
