package main

import (
	"context"
	"errors"
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
		return errors.Join(writeJSON(c, map[string]any{"groups": groups,
			"unreadable": s.Unreadable}), unreadable(s.Unreadable))
	}
	t := c.table("The store has no record of any user.", "TENANT", "TYPE", "USERS", "ENROLLED",
		"NOT ENROLLED", "LOCKED", "DISABLED", "TO RENEW", "UNDELIVERABLE", "UNKNOWN", "EXCEPTED",
		"KINDS")
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
	return errors.Join(t.flush(), unreadable(s.Unreadable))
}

// unreadable returns a finding if there are records that cannot be read.
func unreadable(records int) error {
	if records == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d records cannot be read; secondgate keys list says whether a key is "+
		"missing", errFound, records)
}

// rotate re-encrypts all records. After a run that was cut off, the next one begins again, and
// passes quickly over what is done.
func rotate(ctx context.Context, c *call) error {
	all, err := c.opened.records(ctx)
	if err != nil {
		return err
	}
	shown := c.progress("records", all)
	records, reencrypted, closed := 0, 0, 0
	for p, err := range c.manager.Reencrypt(ctx, "") {
		if err != nil {
			shown.end()
			return cutOff(records, reencrypted, err)
		}
		shown.show(p.Records)
		records, reencrypted = p.Records, p.Reencrypted
		for _, e := range p.Unreadable {
			fmt.Fprintf(c.messages, "%v\n", e)
		}
		closed += len(p.Unreadable)
	}
	shown.end()
	if closed > 0 && closed == records {
		return fmt.Errorf("nothing was re-encrypted: none of %d records can be read, and they need "+
			"a key that is not here", records)
	}
	if err := c.writeRotated(records, reencrypted, closed); err != nil {
		return err
	}
	if closed > 0 {
		return fmt.Errorf("%w: %d records cannot be read, and need a key that is not here",
			errPartly, closed)
	}
	return nil
}

// cutOff says how far a rotation came before an error.
func cutOff(records, reencrypted int, err error) error {
	err = fmt.Errorf("%d records were read, and %d of them re-encrypted: %w; run it again",
		records, reencrypted, err)
	if reencrypted > 0 {
		return fmt.Errorf("%w: %w", errPartly, err)
	}
	return err
}

func (c *call) writeRotated(records, reencrypted, unreadable int) error {
	if c.json {
		return writeJSON(c, map[string]int{"records": records, "reencrypted": reencrypted,
			"unreadable": unreadable})
	}
	next := "The older keys can be taken away in a day, by secondgate keys retire, when what they " +
		"sealed for users has expired."
	if unreadable > 0 {
		next = "Take no key away until all records can be read."
	}
	_, err := fmt.Fprintf(c.out, "%d records, %d of them re-encrypted. %s\n", records, reencrypted,
		next)
	return err
}
