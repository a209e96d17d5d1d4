package admin

import "strings"

// eventTexts has the keys of the texts for the events of package mfa.
var eventTexts = map[string]string{
	"challenge.begun":     "admin.event.first-step",
	"challenge.abandoned": "admin.event.abandoned",
	"send.success":        "admin.event.sent",
	"send.failed":         "admin.event.unsent",
	"send.limited":        "admin.mail.budget",
	"verify.success":      "admin.event.passed",
	"verify.failure":      "admin.event.failed",
	"verify.locked":       "admin.event.while-locked",
	"confirm.failure":     "admin.event.failed",
	"lockout.locked":      "admin.status.locked",
	"lockout.disabled":    "admin.status.disabled",
	"lockout.unlocked":    "admin.event.enabled",
	"unlock.proof":        "admin.event.unlock-step",

	"enroll.begun":          "admin.event.started",
	"enroll.postponed":      "admin.event.postponed",
	"factor.added":          "admin.event.added",
	"factor.replaced":       "admin.event.replaced",
	"factor.removed":        "admin.event.removed",
	"factor.renamed":        "admin.event.renamed",
	"factor.preferred":      "admin.event.preferred",
	"factor.cloned":         "admin.event.copied",
	"factor.outdated":       "admin.event.outdated",
	"implied.off":           "admin.event.implied-off",
	"implied.on":            "admin.event.implied-on",
	"address.confirmed":     "admin.event.verified",
	"address.changed":       "admin.event.moved",
	"address.undeliverable": "admin.event.undeliverable",
	"recovery.regenerated":  "admin.event.codes-made",
	"recovery.saved":        "admin.event.codes-saved",
	"recovery.low":          "admin.event.codes-low",
	"recovery.replacement":  "admin.event.lost-replaced",
	"recovery.used":         "admin.event.recovered",
	"device.remembered":     "admin.event.device-remembered",
	"device.used":           "admin.event.device-used",
	"device.reused":         "admin.event.device-copied",
	"device.revoked":        "admin.event.device-forgotten",
	"support.requested":     "admin.asked",
	"exception.used":        "admin.event.exception-used",
	"setup.opened":          "admin.event.link-used",

	"notice.sent":   "admin.event.notified",
	"notice.failed": "admin.event.unsent",

	"admin.reset":             "admin.event.reset",
	"admin.remove":            "admin.event.removed",
	"admin.unlock":            "admin.event.unlocked",
	"admin.access":            "admin.event.access",
	"admin.exception":         "admin.event.exception",
	"admin.exception-ended":   "admin.event.exception-ended",
	"admin.import":            "admin.event.imported",
	"admin.export":            "admin.event.personal-data",
	"admin.personal-data":     "admin.event.personal-data",
	"admin.close-support":     "admin.event.case-closed",
	"admin.delete":            "admin.event.deleted",
	"admin.set-policy":        "admin.event.policy",
	"admin.send-confirmation": "admin.event.verification-sent",
}

// Says returns the key of the text for an event, or "" for one that another package emitted.
func (p userPage) Says(event string) string {
	kind, made := strings.CutPrefix(event, "admin.")
	if key := eventTexts[event]; key != "" || !made {
		return key
	}
	for _, k := range p.Kinds {
		if k == kind {
			return "admin.event.access" // an administrator made one of another kind
		}
	}
	return ""
}

// About returns the key of the text for the event that a notice was about, or "".
func (p userPage) About(e eventJSON) string {
	if strings.HasPrefix(e.Event, "notice.") {
		return p.Says(e.Reason)
	}
	return ""
}
