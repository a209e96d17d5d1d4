package ui

import (
	"fmt"
	"html/template"
)

// icons are paths on a grid of 24, drawn with a line of the text's colour.
var icons = map[string]string{
	"shield": "M12 3l7.5 2.8v5.4c0 4.6-3.1 8.2-7.5 9.8-4.4-1.6-7.5-5.2-7.5-9.8V5.8zM8.8 " +
		"12l2.2 2.2 4.2-4.4",
	"totp": "M8.5 2.5h7a2 2 0 012 2v15a2 2 0 01-2 2h-7a2 2 0 01-2-2v-15a2 2 0 012-2zM9.5 " +
		"11l1.8 1.8 3.2-3.4M11 18.5h2",
	"email": "M4.5 5h15a2 2 0 012 2v10a2 2 0 01-2 2h-15a2 2 0 01-2-2V7a2 2 0 012-2zM3 7l9 " +
		"6.2L21 7",
	"sms": "M5 4h14a2 2 0 012 2v9a2 2 0 01-2 2h-7.5L7 20.5V17H5a2 2 0 01-2-2V6a2 2 0 " +
		"012-2zM8 10.5h.01M12 10.5h.01M16 10.5h.01",
	"pin": "M5.5 10.5h13a2 2 0 012 2v6.5a2 2 0 01-2 2h-13a2 2 0 01-2-2v-6.5a2 2 0 " +
		"012-2zM7.5 10.5V7.5a4.5 4.5 0 019 0v3M8.5 15.75h.01M12 15.75h.01M15.5 15.75h.01",
	"recovery": "M6 2.5h12a2 2 0 012 2v15a2 2 0 01-2 2H6a2 2 0 01-2-2v-15a2 2 0 012-2zM8 8h8M8 " +
		"12h8M8 16h5",
	"device": "M4.5 4.5h15a1.5 1.5 0 011.5 1.5v9.5a1.5 1.5 0 01-1.5 1.5h-15A1.5 1.5 0 013 " +
		"15.5V6a1.5 1.5 0 011.5-1.5zM1.5 20.5h21",
	"access": "M3.5 7.5h17a1 1 0 011 1v2a1.75 1.75 0 000 3.5v2a1 1 0 01-1 1h-17a1 1 0 " +
		"01-1-1v-2a1.75 1.75 0 000-3.5v-2a1 1 0 011-1zM14.5 7.5v9",
	"questions": "M12 2.5a9.5 9.5 0 110 19 9.5 9.5 0 010-19zM9.2 9.2a2.9 2.9 0 115 2c-.9.9-2.2 " +
		"1.3-2.2 2.8M12 17.2h.01",
	"passkey": "M9.5 3.5a4 4 0 110 8 4 4 0 010-8zM2.5 20.5c.3-4 3-6.5 7-6.5 1.2 0 2.2.2 " +
		"3.1.6M17.5 9.5a3 3 0 011.5 5.6v1.4l1.3 1.3-1.3 1.4 1 1-2.5 2.3v-7.4a3 3 0 " +
		"010-5.6zM17.5 12.3h.01",
	"key": "M15 9.01h.01M21.5 9a6.5 6.5 0 01-8.7 6.1L11 " +
		"17H8.5v2.5H6V21.5H2.5V18l6.4-6.4A6.5 6.5 0 1121.5 9z",
	"lock": "M6 10.5h12a2 2 0 012 2v6.5a2 2 0 01-2 2H6a2 2 0 01-2-2v-6.5a2 2 0 012-2zM7.5 " +
		"10.5V7.5a4.5 4.5 0 019 0v3",
	"warning": "M12 3.5l9.5 16.5h-19zM12 10v4.5M12 17.25h.01",
	"check":   "M12 2.5a9.5 9.5 0 110 19 9.5 9.5 0 010-19zM8 12.3l2.7 2.7L16 9.5",
	"plus":    "M12 5v14M5 12h14",
	"next":    "M9 5.5l6.5 6.5L9 18.5",
	"back":    "M15 5.5L8.5 12l6.5 6.5",
	"copy": "M9.5 8.5h9a2 2 0 012 2v9a2 2 0 01-2 2h-9a2 2 0 01-2-2v-9a2 2 0 012-2zM4.5 " +
		"15.5a1 1 0 01-1-1v-10a2 2 0 012-2h10a1 1 0 011 1",
	"download": "M12 3.5v12M7 11l5 5 5-5M4.5 20.5h15",
	"print": "M7 8.5v-6h10v6M7 17.5H5a2 2 0 01-2-2v-5a2 2 0 012-2h14a2 2 0 012 2v5a2 2 0 " +
		"01-2 2h-2M7 14h10v7.5H7z",
}

const (
	iconHead = `<svg class="%s" viewBox="%s" width="20" height="20" %s aria-hidden="true" ` +
		`focusable="false">`
	// lines is how icons are drawn that do not say it themselves.
	lines = `fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" ` +
		`stroke-linejoin="round"`
)

// icon is decoration: what it means is always said beside it. Kinds without an icon have a key.
func (c *catalog) icon(name string) template.HTML {
	if l := c.look(name); l.icon != "" {
		return l.icon
	}
	path, ok := icons[name]
	if !ok {
		path = icons["key"]
	}
	class := "sg-icon"
	if name == "next" || name == "back" {
		class += " sg-turns" // it points where the text goes
	}
	return template.HTML(fmt.Sprintf(iconHead, class, "0 0 24 24", lines) + //nolint:gosec // constants
		`<path d="` + path + `"/></svg>`)
}
