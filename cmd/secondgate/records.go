package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func showReport(ctx context.Context, c *call) error {
	s, err := c.admin().Report(ctx)
	if err != nil {
		return err
	}
	if c.json {
		groups := []map[string]any{}
		for _, g := range s.Groups {
			groups = append(groups, map[string]any{"tenant": g.Tenant, "user_type": g.UserType,
				"users": g.Users, "enrolled": g.Enrolled, "not_enrolled": g.NotEnrolled,
				"locked": g.Locked, "disabled": g.Disabled, "to_renew": g.ToRenew,
				"undeliverable": g.Undeliverable, "unknown": g.Unknown, "excepted": g.Excepted,
				"excepted_soon": g.ExceptedSoon, "kinds": g.Kinds})
		}
		return writeJSON(c, map[string]any{"groups": groups, "unreadable": s.Unreadable})
	}
	t := c.table("TENANT", "TYPE", "USERS", "ENROLLED", "NOT ENROLLED", "LOCKED", "DISABLED",
		"TO RENEW", "UNDELIVERABLE", "UNKNOWN", "EXCEPTED", "KINDS")
	for _, g := range s.Groups {
		var counts []string
		for _, kind := range slices.Sorted(maps.Keys(g.Kinds)) {
			counts = append(counts, fmt.Sprintf("%s %d", kind, g.Kinds[kind]))
		}
		cells := []string{g.Tenant, g.UserType}
		for _, n := range []int{g.Users, g.Enrolled, g.NotEnrolled, g.Locked, g.Disabled,
			g.ToRenew, g.Undeliverable, g.Unknown, g.Excepted} {
			cells = append(cells, strconv.Itoa(n))
		}
		t.row(append(cells, strings.Join(counts, ", "))...)
	}
	if s.Unreadable > 0 {
		t.row()
		t.row(fmt.Sprintf("%d records cannot be read with these keys.", s.Unreadable))
	}
	return t.flush()
}

// rotate re-encrypts all records. After a run that was cut off, the next one begins again, and
// passes quickly over what is done.
func rotate(ctx context.Context, c *call) error {
	all, err := c.opened.records(ctx)
	if err != nil {
		return err
	}
	shown := c.progress("records", all)
	records, reencrypted, unreadable := 0, 0, 0
	for p, err := range c.manager.Reencrypt(ctx, "") {
		if err != nil {
			shown.end()
			return err
		}
		shown.show(p.Records)
		records, reencrypted = p.Records, p.Reencrypted
		for _, e := range p.Unreadable {
			fmt.Fprintf(c.messages, "%v\n", e)
		}
		unreadable += len(p.Unreadable)
	}
	shown.end()
	if unreadable > 0 {
		return fmt.Errorf("%w: %d records cannot be read, and need a key that is not here",
			errPartly, unreadable)
	}
	if c.json {
		return writeJSON(c, map[string]int{"records": records, "reencrypted": reencrypted})
	}
	_, err = fmt.Fprintf(c.out, "%d records, %d of them re-encrypted. The older keys can be "+
		"taken away in a day, when what they sealed for users has expired.\n", records,
		reencrypted)
	return err
}
