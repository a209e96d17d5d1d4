package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// writeManual writes the manual page in the man language of roff.
func writeManual(_ context.Context, c *call) error {
	var page strings.Builder
	page.WriteString(`.\" Made by "secondgate man". Do not edit.
.TH SECONDGATE 1 "" secondgate "Operating secondgate"
.SH NAME
secondgate \- operate an installation of secondgate
.SH SYNOPSIS
.B secondgate
.I COMMAND
.RI [ flags ]
.RI [ argument ]
.SH DESCRIPTION
` + roff(describes) + `
.SH COMMANDS
`)
	for _, each := range commands() {
		each.manual(&page)
	}
	page.WriteString(".SH OPTIONS OF EVERY COMMAND THAT OPENS THE STORE\n")
	writeFlags(&page, (&call{}).flagSet(), func(string) bool { return true })
	page.WriteString(".SH ENVIRONMENT\n")
	for _, v := range environment {
		fmt.Fprintf(&page, ".TP\n.B %s\n%s\n", roff(v.name), roff(v.means))
	}
	page.WriteString(".SH STORES\n.nf\n")
	for _, url := range storeURLs {
		fmt.Fprintln(&page, roff(url))
	}
	page.WriteString(".fi\n.SH VAULTS\n.nf\n")
	for _, url := range vaultURLs {
		fmt.Fprintln(&page, roff(url))
	}
	page.WriteString(".fi\n.SH EXIT STATUS\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&page, ".TP\n.B %d\n%s\n", e.code, roff(e.means))
	}
	_, err := io.WriteString(c.out, page.String())
	return err
}

// manual writes the section of a command.
func (c command) manual(page io.Writer) {
	fmt.Fprintf(page, ".SS %q\n%s.\n%s\n", strings.TrimSpace(c.name+" "+c.arguments),
		roff(strings.ToUpper(c.does[:1])+c.does[1:]), roff(c.explains))
	shared := (&call{}).flagSet()
	writeFlags(page, (&call{command: c}).flagSet(), func(name string) bool {
		return shared.Lookup(name) == nil
	})
	fmt.Fprint(page, ".PP\nExamples:\n.PP\n.nf\n")
	for _, e := range c.examples {
		fmt.Fprintln(page, roff("secondgate "+e))
	}
	fmt.Fprintln(page, ".fi")
}

func writeFlags(page io.Writer, flags *flag.FlagSet, included func(name string) bool) {
	flags.VisitAll(func(f *flag.Flag) {
		if included(f.Name) {
			fmt.Fprintf(page, ".TP\n.B %s\n%s\n", roff("-"+f.Name), roff(usageOf(f)))
		}
	})
}

// usageOf returns the text of a flag with its default.
func usageOf(f *flag.Flag) string {
	switch f.DefValue {
	case "", "false", "0", "0s":
		return f.Usage
	}
	return f.Usage + " (default " + f.DefValue + ")"
}

// roff escapes what has a meaning in roff: backslashes, hyphens that are typed, and a dot or an
// apostrophe at the beginning of a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
