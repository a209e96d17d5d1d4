package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/secondgate/secondgate/storage"
)

// keyUse is how many records a key sealed.
type keyUse struct {
	ID string `json:"id"`
	// Place is 1 for the key that seals, and 0 for one that is not among the keys.
	Place   int `json:"place"`
	Records int `json:"records"`
}

// listKeys counts the records under each key. It writes no key.
func listKeys(ctx context.Context, c *call) error {
	keys, err := c.writtenKeys(ctx)
	if err != nil {
		return err
	}
	counts, err := c.countKeys(ctx)
	if err != nil {
		return err
	}
	var uses []keyUse
	for i, k := range keys {
		uses = append(uses, keyUse{k.id, i + 1, counts[k.id]})
		delete(counts, k.id)
	}
	missing := 0
	for id, n := range counts {
		uses = append(uses, keyUse{ID: id, Records: n})
		missing += n
	}
	slices.SortFunc(uses[len(keys):], func(a, b keyUse) int { return cmp.Compare(a.ID, b.ID) })
	if err := c.writeKeys(uses); err != nil {
		return err
	}
	if missing > 0 {
		return fmt.Errorf("%w: %d records need a key that is not here", errFound, missing)
	}
	return nil
}

func (c *call) writeKeys(uses []keyUse) error {
	if c.json {
		return writeJSON(c, map[string]any{"keys": uses})
	}
	t := c.table("There is no key.", "PLACE", "KEY ID", "RECORDS")
	for _, u := range uses {
		place := strconv.Itoa(u.Place)
		if u.Place == 0 {
			place = "missing"
		}
		t.row(place, u.ID, strconv.Itoa(u.Records))
	}
	return t.flush()
}

// countKeys counts all records of the application by the key that sealed them.
func (c *call) countKeys(ctx context.Context) (map[string]int, error) {
	lister, ok := c.opened.Store.(storage.Lister)
	if !ok {
		return nil, errors.New("the store cannot list its records")
	}
	all, err := c.opened.records(ctx)
	if err != nil {
		return nil, err
	}
	shown := c.progress("records", all)
	defer shown.end()
	counts, done := make(map[string]int), 0
	for cursor := storage.Cursor(""); ; {
		page, next, err := lister.List(ctx, "", cursor, 1000)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if !isScratch(e.Key) {
				counts[keyIDOf(e.Record.Data)]++
			}
		}
		done += len(page)
		shown.show(done)
		if cursor = next; next == "" {
			return counts, nil
		}
	}
}
