package admin

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
)

// How many events of a user are shown at most, and how many of them are begun sign-ins.
//
// mostHistory events are read if the newest maxHistory have more of the latter than that. An
// attacker who knows the password alone makes as many of them as they like, and would push what
// they did before out of sight.
const (
	maxHistory  = 100
	maxBegun    = 20
	mostHistory = 2000
)

type factorJSON struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Name     string          `json:"name"`
	Hint     string          `json:"hint"`
	Recovery bool            `json:"recovery"`
	Implicit bool            `json:"implicit"`
	Disabled bool            `json:"disabled"`
	Created  time.Time       `json:"created,omitzero"`
	LastUsed time.Time       `json:"last_used,omitzero"`
	Held     time.Time       `json:"held_until,omitzero"`
	Codes    *int            `json:"codes_left,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
}

func factorOf(f mfa.FactorInfo) factorJSON {
	out := factorJSON{ID: f.ID, Kind: f.Kind, Name: f.Name, Hint: f.MaskedDestination,
		Recovery: f.Recovery, Implicit: f.Implicit, Disabled: f.Disabled,
		Created: instant(f.Created), LastUsed: instant(f.LastUsed), Held: instant(f.HeldUntil),
		Data: f.Data}
	if f.Remaining >= 0 {
		out.Codes = &f.Remaining
	}
	return out
}

type deviceJSON struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Created  time.Time `json:"created,omitzero"`
	LastUsed time.Time `json:"last_used,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
}

type sessionJSON struct {
	ID     string    `json:"id"`
	Device string    `json:"device"`
	Began  time.Time `json:"began,omitzero"`
	Seen   time.Time `json:"seen,omitzero"`
}

type eventJSON struct {
	Event  string    `json:"event"`
	Time   time.Time `json:"time,omitzero"`
	Kind   string    `json:"kind,omitempty"`
	Factor string    `json:"factor,omitempty"`
	Reason string    `json:"reason,omitempty"`
	// Actor and Note are an administrator and the reason that they gave.
	Actor string `json:"actor,omitempty"`
	Note  string `json:"note,omitempty"`
	// Approver and Ends are those of an exception from the second factor.
	Approver string    `json:"approver,omitempty"`
	Ends     time.Time `json:"ends,omitzero"`
}

type caseJSON struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Time    time.Time `json:"time,omitzero"`
	From    string    `json:"from"`
	Message string    `json:"message"`
}

func caseOf(c report.Case, name string) caseJSON {
	return caseJSON{ID: c.UserID, Name: name, Type: c.UserType, Time: instant(c.Time),
		From: c.From, Message: c.Message}
}

// aUserJSON is everything about one user.
type aUserJSON struct {
	userJSON
	Factors []factorJSON `json:"factors"`
	Devices []deviceJSON `json:"devices"`
	// RecoveryCodes is how many recovery codes remain; absent for a user who has set up none.
	RecoveryCodes *int        `json:"recovery_codes_left,omitempty"`
	Policy        *policyJSON `json:"policy,omitempty"`
	// Exception is the user's exception from the second factor, which is in force.
	Exception *report.Exception `json:"exception,omitempty"`
	// Sessions, History and Case are absent if the application has none to show.
	Sessions []sessionJSON `json:"sessions,omitempty"`
	History  []eventJSON   `json:"history,omitempty"`
	Case     *caseJSON     `json:"case,omitempty"`
}

func getUser(v *visit) error {
	id, err := v.param("id", 128)
	if err != nil {
		return err
	}
	e, err := v.find(id)
	if err != nil {
		return err
	}
	out, err := v.everything(e)
	if err != nil {
		return err
	}
	return v.ok(out)
}

// everything returns what is known of a user.
func (v *visit) everything(e Entry) (*aUserJSON, error) {
	u, o := v.describe(e)
	out := &aUserJSON{userJSON: u, Factors: []factorJSON{}, Devices: []deviceJSON{}}
	if o != nil {
		for _, f := range o.Factors {
			out.Factors = append(out.Factors, factorOf(f))
		}
		for _, d := range o.Devices {
			out.Devices = append(out.Devices, deviceJSON{ID: d.ID, Name: d.Name,
				Created: instant(d.Created), LastUsed: instant(d.LastUsed),
				Expires: instant(d.Expires)})
		}
		if o.RecoveryCodesRemaining >= 0 {
			out.RecoveryCodes = &o.RecoveryCodesRemaining
		}
		out.Exception = o.Exception
		p := policyOf(o.Policy)
		out.Policy = &p
	}
	return out, errors.Join(v.addSessions(out, e.User), v.addHistory(out, e.User),
		v.addCase(out, e))
}

func (v *visit) addSessions(out *aUserJSON, u mfa.User) error {
	s, ok := v.h.cfg.Users.(Sessions)
	if !ok {
		return nil
	}
	list, err := s.Sessions(v.ctx, u)
	if err != nil {
		return failed("Directory.Sessions", err)
	}
	for _, s := range list {
		out.Sessions = append(out.Sessions, sessionJSON{ID: s.ID, Device: s.Device,
			Began: instant(s.Began), Seen: instant(s.Seen)})
	}
	return nil
}

func (v *visit) addHistory(out *aUserJSON, u mfa.User) error {
	if v.h.cfg.History == nil {
		return nil
	}
	shown, all, err := v.readHistory(u, maxHistory)
	if err == nil && len(shown) < maxHistory && !all {
		shown, _, err = v.readHistory(u, mostHistory)
	}
	if err != nil {
		return failed("Config.History", err)
	}
	for _, e := range shown[:min(len(shown), maxHistory)] {
		out.History = append(out.History, eventJSON{Event: e.Name, Time: instant(e.Time),
			Kind: e.Kind, Factor: e.FactorID, Reason: e.Reason, Actor: e.Actor, Note: e.Note,
			Approver: e.Approver, Ends: instant(e.ExceptionEnds)})
	}
	return nil
}

// readHistory returns what is shown of the newest events, and whether these are all. Events of
// other users are none of this one's history.
func (v *visit) readHistory(u mfa.User, limit int) (shown []mfa.Event, all bool, err error) {
	list, err := v.h.cfg.History(v.ctx, u, limit)
	if err != nil {
		return nil, false, err
	}
	begun := 0
	for _, e := range list[:min(len(list), limit)] {
		if e.Name == "challenge.begun" {
			begun++
		}
		if e.UserID == u.ID && e.Tenant == u.Tenant &&
			(e.Name != "challenge.begun" || begun <= maxBegun) {
			shown = append(shown, e)
		}
	}
	return shown, len(list) < limit, nil
}

// addCase adds the user's request for support, if the administrator may see those.
func (v *visit) addCase(out *aUserJSON, e Entry) error {
	list, err := v.viewer.SupportCases(v.ctx, v.tenant)
	if errors.Is(err, mfa.ErrForbidden) {
		return nil
	}
	for _, c := range list {
		if c.UserID == e.User.ID {
			found := caseOf(c, e.Name)
			out.Case, out.Asked = &found, true
		}
	}
	return err
}
