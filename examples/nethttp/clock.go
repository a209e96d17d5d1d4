package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// maxAdvance bounds one move of the demonstration clock, and maxAhead their sum: a Duration holds
// at most 292 years.
const (
	maxAdvance = 366 * 24 * time.Hour
	maxAhead   = 20 * maxAdvance
)

// clock is the system's clock, or runs ahead of it. The database holds the difference, so that a
// restart does not turn time back.
type clock struct {
	db *sql.DB // nil for the system's clock

	mu    sync.RWMutex
	ahead time.Duration
}

// openClock returns the demonstration clock.
func openClock(ctx context.Context, db *sql.DB) (*clock, error) {
	c := &clock{db: db}
	var s string
	err := db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'clock'`).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	ns, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the setting \"clock\" in the database is damaged: delete it to " +
			"return to the present")
	}
	c.ahead = time.Duration(ns)
	return c, nil
}

// Now implements mfa.Clock.
func (c *clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Now().Add(c.ahead)
}

var errAdvance = fmt.Errorf("the clock can be moved forward by up to %s at a time, and %s in all",
	maxAdvance, maxAhead)

// advance moves the clock forward, once the database has stored it.
func (c *clock) advance(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d <= 0 || d > maxAdvance || c.ahead+d > maxAhead {
		return errAdvance
	}
	ahead := c.ahead + d
	_, err := c.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('clock', ?)
		ON CONFLICT (name) DO UPDATE SET value =
		excluded.value`, strconv.FormatInt(int64(ahead), 10))
	if err == nil {
		c.ahead = ahead
	}
	return err
}
