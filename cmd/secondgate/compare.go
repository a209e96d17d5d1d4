package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/trail"
)

// What is wrong with a record in the store.
const (
	recordOlder      = "older"
	recordMissing    = "missing"
	recordUnreadable = "unreadable"
)

// storedRecord is a record in the store that is not what the audit trail had of its user.
type storedRecord struct {
	User   string `json:"user"`
	Tenant string `json:"tenant,omitempty"`
	// Before is the entry with the newest write of the record.
	Before  int64  `json:"newest_before"`
	Problem string `json:"problem"`
}

// readersAtOnce is how many records are read at a time.
const readersAtOnce = 8

// compare reads the record of each user whom the trail has from the store, after the trail, so that
// a record that is written meanwhile is newer. A user who was deleted meanwhile has no record, so
// the trail is read and verified once more if there is a finding, and what it explains now is none.
// It writes nothing. What it returns is in the order of tenants and users.
func (c *call) compare(ctx context.Context, records *olderRecords) ([]storedRecord, error) {
	if !c.trailing.compare {
		return nil, nil
	}
	if c.store == "" {
		return nil, fmt.Errorf("-compare needs -store or $SECONDGATE_STORE; %w", errUsage)
	}
	closeAll, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	found, err := c.compareEach(ctx, records.users)
	if err == nil && len(found) > 0 {
		found, err = c.compareAgain(ctx, found)
	}
	return append([]storedRecord{}, found...), errors.Join(err, closeAll())
}

// compareAgain compares the records of findings with the trail as it is now.
func (c *call) compareAgain(
	ctx context.Context, found []storedRecord,
) (remaining []storedRecord, err error) {
	_, records, err := c.trailing.verified(ctx)
	if err != nil {
		return nil, err
	}
	users := make(map[account]writes)
	for _, r := range found {
		user := account{r.User, r.Tenant}
		users[user] = records.users[user]
	}
	return c.compareEach(ctx, users)
}

func (c *call) compareEach(
	ctx context.Context, users map[account]writes,
) (found []storedRecord, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	shown, done := c.progress("users compared", len(users)), 0
	var readers sync.WaitGroup
	var mu sync.Mutex // of found, done and shown
	waiting := make(chan account)
	for range readersAtOnce {
		readers.Go(func() {
			for user := range waiting {
				r, err := c.compareOne(ctx, user, users[user].last())
				if err != nil {
					cancel(err)
					continue // the others are taken and not read
				}
				mu.Lock()
				if r != nil {
					found = append(found, *r)
				}
				done++
				shown.show(done)
				mu.Unlock()
			}
		})
	}
	for user := range maps.Keys(users) {
		if ctx.Err() != nil {
			break
		}
		waiting <- user
	}
	close(waiting)
	readers.Wait()
	shown.end()
	slices.SortFunc(found, func(a, b storedRecord) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.User, b.User))
	})
	return found, context.Cause(ctx)
}

// compareOne returns what is wrong with the record of a user, or nil.
func (c *call) compareOne(ctx context.Context, user account, newest write) (*storedRecord, error) {
	if newest.number == 0 || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	o, err := c.manager.Overview(ctx, mfa.User{ID: user.id, Tenant: user.tenant, Enrolled: true})
	problem := ""
	switch {
	case errors.Is(err, mfa.ErrRecordMissing):
		if !newest.deleted {
			problem = recordMissing
		}
	case isUnreadable(err):
		problem = recordUnreadable
	case err != nil:
		return nil, err
	case o.Write < newest.number:
		problem = recordOlder
	}
	if problem == "" {
		return nil, nil
	}
	return &storedRecord{user.id, user.tenant, newest.seq, problem}, nil
}

// isUnreadable says whether a record was read and cannot be opened.
func isUnreadable(err error) bool {
	return slices.ContainsFunc([]error{seal.ErrMalformed, seal.ErrUnknownKey,
		seal.ErrWrongBinding, seal.ErrTampered}, func(e error) bool { return errors.Is(err, e) })
}

func findingOf(found []storedRecord) error {
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("%w: records in the store are not those that the audit trail had", errFound)
}

// showStored says what the comparison found, and what to do.
func showStored(
	c *call, result *trail.Result, records *olderRecords, found []storedRecord,
) error {
	if !c.trailing.compare {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nThe records of %d users were compared with the store.\n",
		len(records.users))
	if result.Erased > 0 {
		fmt.Fprintf(&text, "%d entries name no user, because the user was erased from them. A user "+
			"with no other entry is not compared.\n", result.Erased)
	}
	missing := false
	for _, r := range found {
		about := fmt.Sprintf("user %q, tenant %q", r.User, r.Tenant)
		switch r.Problem {
		case recordMissing:
			missing = true
			fmt.Fprintf(&text, "The record of %s, is not in the store; it was at entry %d.\n",
				about, r.Before)
		case recordUnreadable:
			fmt.Fprintf(&text, "The record of %s, cannot be read with these keys.\n", about)
		default:
			fmt.Fprintf(&text, "The record of %s, in the store is older than at entry %d.\n",
				about, r.Before)
		}
	}
	if len(found) > 0 {
		text.WriteString("If you restored a backup, say so with trail restored. Otherwise find " +
			"out who wrote to the store, and reset these users.\n")
	}
	if missing {
		text.WriteString("The entry about a user who is deleted comes some seconds after the " +
			"deletion. If users are being deleted, run it again.\n")
	}
	_, err := fmt.Fprint(c.out, text.String())
	return err
}
