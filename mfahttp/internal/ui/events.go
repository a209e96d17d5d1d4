package ui

import (
	"slices"
	"strings"
	"time"
)

// eventWord says how pages show an event of package mfa.
type eventWord struct {
	text string // the key of its text
	own  bool   // the user sees it in their own security settings, and not administrators alone
}

// eventWords has a row for each event of package mfa. Users see what was done with their
// account, and not the steps of it, such as a message that was sent.
var eventWords = map[string]eventWord{
	"challenge.begun":     {"admin.event.first-step", false},
	"challenge.abandoned": {"admin.event.abandoned", true},
	"send.success":        {"admin.event.sent", false},
	"send.failed":         {"admin.event.unsent", false},
	"send.limited":        {"admin.mail.budget", false},
	"verify.success":      {"admin.event.passed", true},
	"verify.failure":      {"admin.event.failed", true},
	"verify.locked":       {"admin.event.while-locked", true},
	"confirm.failure":     {"admin.event.failed", false},
	"lockout.locked":      {"admin.status.locked", true},
	"lockout.disabled":    {"admin.status.disabled", true},
	"lockout.unlocked":    {"admin.event.enabled", true},
	"unlock.proof":        {"admin.event.unlock-step", false},

	"enroll.begun":          {"admin.event.started", false},
	"enroll.postponed":      {"admin.event.postponed", false},
	"factor.added":          {"admin.event.added", true},
	"factor.replaced":       {"admin.event.replaced", true},
	"factor.removed":        {"admin.event.removed", true},
	"factor.renamed":        {"admin.event.renamed", true},
	"factor.preferred":      {"admin.event.preferred", true},
	"factor.cloned":         {"admin.event.copied", true},
	"factor.outdated":       {"admin.event.outdated", false},
	"implied.off":           {"admin.event.implied-off", true},
	"implied.on":            {"admin.event.implied-on", true},
	"address.confirmed":     {"admin.event.verified", true},
	"address.changed":       {"admin.event.moved", true},
	"address.undeliverable": {"admin.event.undeliverable", false},
	"recovery.regenerated":  {"admin.event.codes-made", true},
	"recovery.saved":        {"admin.event.codes-saved", false},
	"recovery.low":          {"admin.event.codes-low", false},
	"recovery.replacement":  {"admin.event.lost-replaced", true},
	"recovery.used":         {"admin.event.recovered", true},
	"device.remembered":     {"admin.event.device-remembered", true},
	"device.used":           {"admin.event.device-used", true},
	"device.reused":         {"admin.event.device-copied", true},
	"device.revoked":        {"admin.event.device-forgotten", true},
	"support.requested":     {"admin.asked", true},
	"exception.used":        {"admin.event.exception-used", true},
	"setup.opened":          {"admin.event.link-used", true},

	"notice.sent":   {"admin.event.notified", false},
	"notice.failed": {"admin.event.unsent", false},

	"admin.reset":             {"admin.event.reset", true},
	"admin.remove":            {"admin.event.removed", true},
	"admin.unlock":            {"admin.event.unlocked", true},
	"admin.access":            {"admin.event.access", true},
	"admin.exception":         {"admin.event.exception", true},
	"admin.exception-ended":   {"admin.event.exception-ended", true},
	"admin.import":            {"admin.event.imported", true},
	"admin.export":            {"admin.event.personal-data", true},
	"admin.personal-data":     {"admin.event.personal-data", true},
	"admin.close-support":     {"admin.event.case-closed", false},
	"admin.delete":            {"admin.event.deleted", true},
	"admin.set-policy":        {"admin.event.policy", false},
	"admin.send-confirmation": {"admin.event.verification-sent", false},
}

// EventText returns the key of the text for an event, or "" for one that another package emitted.
// kinds are those of the application: an administrator can make a factor of each.
func EventText(event string, kinds []string) string { return wordOf(event, kinds).text }

// EventName returns the name of an event for clients. Each factor that an administrator makes is
// the event admin.access of its kind, so that the names do not depend on the kinds.
func EventName(event string, kinds []string) string {
	if _, ok := eventWords[event]; !ok && wordOf(event, kinds) == eventWords[adminMade] {
		return adminMade
	}
	return event
}

// OwnEvent reports whether a user sees an event in their own security settings.
func OwnEvent(event string, kinds []string) bool { return wordOf(event, kinds).own }

// adminMade is the event of an access code that an administrator made.
const adminMade = "admin.access"

func wordOf(event string, kinds []string) eventWord {
	if w, ok := eventWords[event]; ok {
		return w
	}
	if kind, made := strings.CutPrefix(event, "admin."); made && slices.Contains(kinds, kind) {
		return eventWords[adminMade]
	}
	return eventWord{}
}

// Event is something that happened to the user's account. It has no name and no reason of an
// administrator: those are for other administrators.
type Event struct {
	Time time.Time
	// Text is the key of what happened.
	Text string
	// Kind is the kind that it was about, or "".
	Kind string
	// ByAdmin is true for what an administrator or a program of the application did.
	ByAdmin bool
}
