package main

import (
	"context"
	"slices"
	"sync"

	"github.com/secondgate/secondgate/mfa"
)

// The bounds of a history: users, and events of each.
const (
	maxHistories = 1000
	maxEvents    = 50
)

// history keeps the last events of the users who did something last, for administrators and for the
// users themselves. It is in memory and ends with the program; an application that has to answer
// for them keeps them in a trail.Trail.
type history struct {
	mu     sync.Mutex
	events map[string][]mfa.Event // by the user's ID, the oldest first
	users  []string               // the one whose first event is the oldest first
}

// add keeps an event of a user.
func (h *history) add(e mfa.Event) {
	if e.UserID == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.events == nil {
		h.events = map[string][]mfa.Event{}
	}
	list, known := h.events[e.UserID]
	if !known {
		h.users = append(h.users, e.UserID)
	}
	if len(h.users) > maxHistories {
		delete(h.events, h.users[0])
		h.users = slices.Delete(h.users, 0, 1)
	}
	if len(list) == maxEvents {
		list = slices.Delete(list, 0, 1)
	}
	h.events[e.UserID] = append(list, e)
}

// of implements the History of mfahttp.Config and admin.Config.
func (h *history) of(_ context.Context, user mfa.User, limit int) ([]mfa.Event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := slices.Clone(h.events[user.ID])
	slices.Reverse(list)
	return list[:min(limit, len(list))], nil
}
