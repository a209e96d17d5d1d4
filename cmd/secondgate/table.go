package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
)

// table is a table for people. On a terminal its head is bold and what needs attention is red.
type table struct {
	c    *call
	text bytes.Buffer
	tabs *tabwriter.Writer
	rows int // without the head
	// none is what is written in place of a table without rows.
	none string
}

// table begins a table with the names of its columns. A head alone says nothing to an operator, who
// reads none, a sentence, where there are no rows.
func (c *call) table(none string, columns ...string) *table {
	t := &table{c: c, none: none}
	t.tabs = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	t.line(columns)
	return t
}

func (t *table) row(cells ...string) {
	t.rows++
	t.line(cells)
}

func (t *table) line(cells []string) {
	clean := make([]string, len(cells))
	for i, cell := range cells {
		clean[i] = escaped(strings.ReplaceAll(cell, "\n", " "), "")
	}
	// Writes to a buffer do not fail.
	_, _ = io.WriteString(t.tabs, strings.Join(clean, "\t")+"\n")
}

// flush writes the table, whose cells control nothing, with its colours.
func (t *table) flush() error {
	if t.rows == 0 {
		_, err := io.WriteString(raw(t.c.out), escaped(t.none, "")+"\n")
		return err
	}
	_ = t.tabs.Flush()
	head, rows, _ := strings.Cut(t.text.String(), "\n")
	_, err := io.WriteString(raw(t.c.out), t.c.paint(bold, head)+"\n"+
		strings.ReplaceAll(rows, "  "+resultProblem+"  ", "  "+t.c.paint(red, resultProblem)+"  "))
	return err
}

// Colours of ECMA-48.
const (
	bold = "1"
	red  = "31"
)

// paint returns text in a colour if the output is a terminal.
func (c *call) paint(colour, text string) string {
	if !isTerminal(c.out) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func isTerminal(w io.Writer) bool {
	w = raw(w)
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
