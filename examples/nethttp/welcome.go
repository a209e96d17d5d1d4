package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// announce prints where the server listens, on a line for programs, and a welcome to a
// demonstration.
func (a *app) announce(ctx context.Context, w io.Writer, local string) error {
	fmt.Fprintln(w, "listening on", local)
	if !a.cfg.demo {
		return nil
	}
	return a.welcome(ctx, w)
}

// welcome prints what a visitor needs for the first minutes of the demonstration: where it is, who
// to sign in as, where the codes are, and what to try.
func (a *app) welcome(ctx context.Context, w io.Writer) error {
	list, err := a.users.demonstrators(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	say := func(name, format string, values ...any) {
		fmt.Fprintf(&b, "  %-12s%s\n", name, fmt.Sprintf(format, values...))
	}
	b.WriteString("\nThe demonstration of secondgate is ready:\n\n")
	say("Open", "%s", a.cfg.public)
	name := "Sign in as"
	for _, username := range []string{"olivia", "anna"} {
		for _, u := range list {
			if u.Username != username || u.DemoPassword() == "" {
				continue
			}
			say(name, "%-8s password %s (%s)", u.Username, u.DemoPassword(), u.Type)
			name = ""
		}
	}
	say(name, "The sign-in page has all %d users, each with a button.", len(list))
	say("Codes", "%s/outbox has every mail and text message, and a clock to move forward.",
		a.cfg.public)
	say("Try", "The home page has a tour: an expired code, a lock, a lost phone, a passkey,")
	say("", "policies, administration, and a portal (go run ./examples/portal).")
	say("Data", "%s; delete it to start again. Ctrl+C stops the program.", a.cfg.data)
	b.WriteString("\n")
	_, err = io.WriteString(w, b.String())
	return err
}
