package ui_test

import (
	"html/template"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sample is a page as a user sees it, in the language of a frame.
type sample struct {
	name string
	make func(f ui.Frame) ui.Page
}

const qr = template.HTML(
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h21v21H0z"/><path d="M0 0h7v7H0zM14 0h7v7h-7zM0 14h7v7H0zM9 9h3v3H9zM13 13h2v2h-2z"/></svg>`)

// samples are every page in every state that looks different.
func samples() []sample {
	totp := ui.Option{Kind: "totp", FactorID: "a1", Name: "Phone"}
	mail := ui.Option{Kind: "email", FactorID: "m1", MaskedDestination: "a•••@example.com",
		Sends: true}
	sms := ui.Option{Kind: "sms", FactorID: "s1", MaskedDestination: "••• ••• •• 78", Sends: true}
	sms2 := ui.Option{Kind: "sms", FactorID: "s2", MaskedDestination: "••• ••• •• 41", Sends: true}
	pin := ui.Option{Kind: "pin", FactorID: "p1"}
	stopped := ui.Option{Kind: "pin", FactorID: "p1", Disabled: true}
	codes := ui.Option{Kind: "recovery", FactorID: "r1", Recovery: true}
	push := ui.Option{Kind: "push", FactorID: "d1", Sends: true}
	other := ui.Option{Kind: "carrier-pigeon", FactorID: "c1"}
	in := func(f ui.Frame) ui.Frame { f.SignedIn, f.SigningIn = true, false; return f }
	note := func(f ui.Frame, n ui.Notice) ui.Frame { f.Notice = &n; return f }
	countries := []ui.Country{{Region: "NL", Name: "Netherlands", CallingCode: "31"},
		{Region: "NO", Name: "Norway", CallingCode: "47"}}
	factors := []ui.Factor{
		{ID: "a1", Kind: "totp", Name: "Phone", Created: now.AddDate(0, -3, 0),
			LastUsed: now.AddDate(0, 0, -2)},
		{ID: "p1", Kind: "pin", Created: now.AddDate(0, -1, 0), Disabled: true},
		{ID: "s1", Kind: "sms", Name: "Work phone", MaskedDestination: "••• ••• •• 78",
			Created: now.AddDate(-1, 0, 0)},
		{Kind: "email", MaskedDestination: "a•••@example.com", LastUsed: now.AddDate(0, 0, -40)},
		{ID: "r1", Kind: "recovery", Recovery: true, Created: now},
	}
	var each []sample
	for _, kind := range []string{"totp", "email", "sms", "pin", "passkey", "recovery", "questions",
		"access", "carrier-pigeon"} {
		each = append(each, sample{"help-" + kind, func(f ui.Frame) ui.Page {
			return ui.Lost{Frame: f, Kind: kind, Others: []ui.Option{mail, totp}}
		}}, sample{"factors-change-" + kind, func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: in(f), Factors: []ui.Factor{{ID: "x1", Kind: kind,
				Change: true}}}
		}})
	}
	return append(slices.Concat(each, offers, sessionEnds, histories), []sample{
		{"verify-totp", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: totp, Others: []ui.Option{mail, sms, codes}}
		}},
		{"verify-totp-wrong", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "incorrect", Kind: "totp",
				Remaining: 4}),
				Option: totp, Others: []ui.Option{mail, codes}}
		}},
		{"verify-totp-ends", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: totp, Ends: 121}
		}},
		{"enrollment-totp-ends", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: in(f), ID: "E1", Kind: "totp", Ends: 90,
				Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
		}},
		{"verify-send", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: mail, Others: []ui.Option{totp, stopped, codes},
				Return: "/home?x=1&y=2"}
		}},
		{"verify-sent", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "sent", Kind: "sms", Remaining: -1}),
				Option: sms, Others: []ui.Option{sms2, mail, totp}, Sent: true,
				SentTo:           sms.MaskedDestination,
				SecondsRemaining: 87}
		}},
		{"verify-waits", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "request_sent", Kind: "push",
				Remaining: -1}),
				Option: push, Others: []ui.Option{totp}, Sent: true, Waits: true,
				SentTo:           "Ann’s phone",
				SecondsRemaining: 87, Remember: 14}
		}},
		{"verify-waits-pending", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "pending", Kind: "push",
				Remaining: -1}),
				Option: push, Sent: true, Waits: true, SecondsRemaining: 87}
		}},
		{"verify-denied", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "denied", Kind: "push", Remaining: 4}),
				Option: push}
		}},
		{"verify-request-expired", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "request_expired", Kind: "push",
				Remaining: -1}), Option: push}
		}},
		{"enrollment-waits", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: note(f, ui.Notice{Code: "pending", Kind: "push",
				Remaining: -1}), ID: "E1", Kind: "push", Sent: true, Waits: true,
				SecondsRemaining: 290}
		}},
		{"enrollment-waits-again", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: note(f, ui.Notice{Code: "request_sent", Kind: "push",
				Remaining: -1}), ID: "E1", Kind: "push", Sent: true, Waits: true,
				SecondsRemaining: 290}
		}},
		{"enrollment-waits-over", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: f, ID: "E1", Kind: "push", Sent: true, Waits: true}
		}},
		{"verify-expired", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "expired", Reason: "response_expired",
				Kind: "email", Remaining: -1}), Option: mail}
		}},
		{"verify-budget", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "budget", Kind: "email", Remaining: -1,
				Until: now.Add(17 * time.Minute)}), Option: mail}
		}},
		{"verify-pin", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: pin, Others: []ui.Option{codes}}
		}},
		{"verify-pin-wrong", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "incorrect", Kind: "pin",
				Remaining: 1}),
				Option: pin}
		}},
		{"verify-recovery", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: codes, Others: []ui.Option{totp}}
		}},
		{"verify-recovery-malformed", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "malformed", Reason: "recovery_form",
				Kind: "recovery", Remaining: -1}), Option: codes}
		}},
		{"verify-other", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: other, Others: []ui.Option{totp}}
		}},
		{"verify-stepup", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: in(f), Purpose: "step-up", Return: "/recent", Option: totp,
				Others: []ui.Option{mail}}
		}},
		{"verify-passkey", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: ui.Option{Kind: "passkey", Sends: true},
				Others: []ui.Option{totp, codes}, Remember: 14}
		}},
		{"verify-passkey-wrong", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "incorrect", Kind: "passkey",
				Remaining: 4}),
				Option: ui.Option{Kind: "passkey", Sends: true}, Others: []ui.Option{totp}}
		}},
		{"enrollment-passkey", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: f, ID: "e1", Kind: "passkey", Data: `{"publicKey":{}}`,
				Sent: true, SecondsRemaining: 290}
		}},
		{"enrollment-passkey-over", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: in(f), ID: "e1", Kind: "passkey"}
		}},
		{"factors-passkey-removed", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "removed", Kind: "passkey",
				Remaining: -1, Data: `{"rpId":"example.com"}`}), CanEnroll: true,
				Factors: passkeys}
		}},
		{"verify-locked", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: totp, Others: []ui.Option{mail}, Locked: true,
				SecondsRemaining: 180, Until: now.Add(3 * time.Minute)}
		}},
		{"verify-remember", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: totp, Others: []ui.Option{mail, codes}, Remember: 14,
				Lost: true}
		}},
		{"verify-stopped-alone", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: stopped}
		}},
		{"verify-stopped-recover", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: stopped, Others: []ui.Option{stopped}, Lost: true}
		}},
		{"verify-stopped-provable", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "proof", Kind: "totp", Remaining: 2}),
				Option: ui.Option{Kind: "totp", Disabled: true, Provable: true},
				Others: []ui.Option{codes}}
		}},
		{"verify-questions", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: note(f, ui.Notice{Code: "incorrect", Kind: "questions",
				Remaining: 3}), Purpose: "replace",
				Option: ui.Option{Kind: "questions", FactorID: "q1", Recovery: true,
					Questions: []string{"Which book?", "Which <street>?", "Which dish?"}}}
		}},
		{"enroll-questions", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: in(f), Kind: "questions", Questions: []string{"Which book?",
				"Which street?"}}
		}},
		{"enroll-questions-wrong", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: note(in(f), ui.Notice{Code: "malformed",
				Reason: "answer_short_2", Kind: "questions", Remaining: -1,
				Entered: map[string]string{"question1": "Which book do you read?"}}),
				Kind: "questions"}
		}},
		{"lost", func(f ui.Frame) ui.Page {
			return ui.Lost{Frame: f, Recovery: []ui.Option{codes}, Link: true, Support: true}
		}},
		{"lost-sms", func(f ui.Frame) ui.Page {
			return ui.Lost{Frame: f, Kind: "sms", Others: []ui.Option{sms2, totp, mail},
				Recovery: []ui.Option{codes}, Link: true, Support: true, AsksQuestions: true}
		}},
		{"lost-nothing", func(f ui.Frame) ui.Page { return ui.Lost{Frame: f, Kind: "totp"} }},
		{"lost-sent", func(f ui.Frame) ui.Page {
			return ui.Lost{Frame: note(f, ui.Notice{Code: "link_sent", Remaining: -1}), Link: true,
				Support: true}
		}},
		{"lost-locked", func(f ui.Frame) ui.Page {
			return ui.Lost{Frame: note(f, ui.Notice{Code: "locked", Remaining: -1,
				Until: now.Add(150 * time.Second)}), Support: true}
		}},
		{"setup", func(f ui.Frame) ui.Page { return ui.Setup{Frame: f, Token: "TOKEN"} }},
		{"setupdone", func(f ui.Frame) ui.Page { return ui.Setup{Frame: f} }},
		{"verify-stopped", func(f ui.Frame) ui.Page {
			return ui.Verify{Frame: f, Option: stopped, Others: []ui.Option{mail, codes}}
		}},
		{"choose-forced", func(f ui.Frame) ui.Page {
			return ui.Choose{Frame: f, Forced: true, Return: "/home",
				Kinds: []ui.Choice{{Kind: "totp", Direct: true}, {Kind: "sms"}, {Kind: "email"},
					{Kind: "pin"}}}
		}},
		{"choose-later", func(f ui.Frame) ui.Page {
			return ui.Choose{Frame: f, Forced: true, Return: "/home",
				Kinds: []ui.Choice{{Kind: "totp", Direct: true}, {Kind: "sms"}},
				Later: &ui.Later{Until: f.Now.AddDate(0, 0, 7), Times: 3}}
		}},
		{"choose-replacing", func(f ui.Frame) ui.Page {
			return ui.Choose{Frame: f, Replacing: true,
				Kinds: []ui.Choice{{Kind: "totp", Direct: true, Have: true}}}
		}},
		{"choose", func(f ui.Frame) ui.Page {
			return ui.Choose{Frame: in(f), Recovery: true,
				Kinds: []ui.Choice{{Kind: "totp", Direct: true, Have: true},
					{Kind: "pin", Have: true}, {Kind: "carrier-pigeon"}}}
		}},
		{"enroll-totp", func(f ui.Frame) ui.Page { return ui.Enroll{Frame: f, Kind: "totp"} }},
		{"enroll-email", func(f ui.Frame) ui.Page { return ui.Enroll{Frame: f, Kind: "email"} }},
		{"enroll-email-wrong", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: note(f, ui.Notice{Code: "malformed", Reason: "address_form",
				Kind: "email", Remaining: -1, Entered: map[string]string{"address": "ann@"}}),
				Kind: "email"}
		}},
		{"enroll-sms", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: in(f), Kind: "sms", Countries: countries, Password: true}
		}},
		{"enroll-sms-wrong", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: note(f, ui.Notice{Code: "malformed", Reason: "number_length",
				Kind: "sms", Remaining: -1,
				Entered: map[string]string{"number": "0612", "region": "NL"}}), Kind: "sms",
				Countries: countries}
		}},
		{"enroll-sms-international", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: f, Kind: "sms"}
		}},
		{"enroll-pin", func(f ui.Frame) ui.Page { return ui.Enroll{Frame: f, Kind: "pin"} }},
		{"enroll-pin-change", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: in(f), Kind: "pin", Change: true}
		}},
		{"enroll-pin-wrong", func(f ui.Frame) ui.Page {
			return ui.Enroll{Frame: note(f, ui.Notice{Code: "malformed", Reason: "pin_mismatch",
				Kind: "pin", Remaining: -1,
				Entered: map[string]string{"pin": "must not come back",
					"pin2": "must not come back"}}), Kind: "pin"}
		}},
		{"enrollment-totp", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: in(f), ID: "E1", Kind: "totp",
				Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
				URI:    "otpauth://totp/Acme:ann%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Acme",
				QR:     qr, Return: "/home"}
		}},
		{"enrollment-totp-gone", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: f, ID: "E1", Kind: "totp"}
		}},
		{"enrollment-email", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: f, ID: "E1", Kind: "email",
				MaskedDestination: "a•••@example.com",
				Sent:              true, SecondsRemaining: 87}
		}},
		{"enrollment-sms-wrong", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: note(f, ui.Notice{Code: "incorrect", Kind: "sms",
				Remaining: 4}),
				ID: "E1", Kind: "sms", Name: "Work", MaskedDestination: "••• ••• •• 78", Sent: true,
				SecondsRemaining: 21}
		}},
		{"enrollment-locked", func(f ui.Frame) ui.Page {
			return ui.Enrollment{Frame: note(f, ui.Notice{Code: "locked", Kind: "sms",
				Remaining: -1,
				Until:     now.Add(150 * time.Second)}), ID: "E1", Kind: "sms",
				MaskedDestination: "••• ••• •• 78",
				Sent:              true}
		}},
		{"factors", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "added", Kind: "totp",
				Remaining: -1}),
				Factors: factors, RecoveryCodesRemaining: 8, HasRecovery: true, CanEnroll: true,
				HasQuestions: true,
				Devices: []ui.Device{{ID: "d1", Name: "Firefox, Linux",
					Created: now.AddDate(0, 0, -3), LastUsed: now, Expires: now.AddDate(0, 0, 11)},
					{ID: "d2", Name: "Safari, iPhone", Created: now.AddDate(0, 0, -1),
						Expires: now.AddDate(0, 0, 13)}}}
		}},
		{"factors-preferred", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "preferred", Remaining: -1}),
				Factors: []ui.Factor{{ID: "a1", Kind: "totp", Created: now, Preferred: true},
					{ID: "p1", Kind: "pin", Created: now, CanPrefer: true, Change: true},
					{Kind: "email", MaskedDestination: "a•••@example.com", Implied: true,
						CanTurnOff: true, CanPrefer: true}}}
		}},
		{"factors-off", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "implied_off", Remaining: -1}),
				Factors: []ui.Factor{{ID: "a1", Kind: "totp", Created: now},
					{Kind: "email", MaskedDestination: "a•••@example.com", Implied: true,
						CanTurnOff: true, Off: true}}}
		}},
		{"factors-none", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: in(f), HasRecovery: true, CanEnroll: true,
				EnrollBy: now.AddDate(0, 0, 14)}
		}},
		{"factors-locked", func(f ui.Frame) ui.Page {
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "recovered", Remaining: 1}),
				Factors: factors, RecoveryCodesRemaining: 1, HasRecovery: true, CanEnroll: true,
				Locked:           true,
				SecondsRemaining: 121}
		}},
		{"factors-held", func(f ui.Frame) ui.Page {
			held := factors[0]
			held.HeldUntil = now.Add(20 * time.Hour)
			return ui.Factors{Frame: note(in(f), ui.Notice{Code: "on_hold", Remaining: -1}),
				Factors: []ui.Factor{held, factors[1]}, HasRecovery: true, CanEnroll: true}
		}},
		{"factors-outdated", func(f ui.Frame) ui.Page {
			changed, old := factors[0], factors[1]
			changed.Kind, changed.Kept, changed.Outdated = "passkey", "device", true
			old.Renew = true
			return ui.Factors{Frame: in(f), CanEnroll: true, Factors: []ui.Factor{changed, old}}
		}},
		{"remove-held", func(f ui.Frame) ui.Page {
			held := factors[0]
			held.HeldUntil = now.Add(20 * time.Hour)
			return ui.Remove{Frame: in(f), Factor: held}
		}},
		{"choose-banned", func(f ui.Frame) ui.Page {
			return ui.Choose{Frame: note(f, ui.Notice{Code: "kind_banned", Kind: "sms",
				Remaining: -1}),
				Kinds: []ui.Choice{{Kind: "totp", Direct: true}}, Forced: true}
		}},
		{"error-reauthenticate", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: in(f), Code: "reauthenticate"}
		}},
		{"error-on-hold", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: in(f), Code: "on_hold"}
		}},
		{"error-undeliverable", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: f, Code: "undeliverable"}
		}},
		{"error-kind-not-configured", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: f, Code: "kind_not_configured"}
		}},
		{"remove", func(f ui.Frame) ui.Page { return ui.Remove{Frame: in(f), Factor: factors[0]} }},
		{"remove-password", func(f ui.Frame) ui.Page {
			return ui.Remove{Frame: note(in(f), ui.Notice{Code: "password", Remaining: -1}),
				Factor: factors[2], Password: true}
		}},
		{"recovery", func(f ui.Frame) ui.Page { return ui.Recovery{Frame: in(f), Remaining: 2} }},
		{"recovery-none", func(f ui.Frame) ui.Page { return ui.Recovery{Frame: in(f)} }},
		{"recovery-codes", func(f ui.Frame) ui.Page {
			return ui.Recovery{Frame: in(f), Codes: []string{"7KQ2-M9XD-4TRV-W8HP",
				"B3NC-6YJF-Z5GE-R2AK", "D8WM-P4VX-9QTH-3CNJ", "G6RB-K7ZF-2YED-A5QM",
				"H9TX-V3CP-8NWJ-F4KR"}}
		}},
		{"link", func(f ui.Frame) ui.Page {
			f.Account, f.SigningIn = "", false
			return ui.Link{Frame: f, Token: "sealed.token"}
		}},
		{"continue", func(f ui.Frame) ui.Page { return ui.Continue{Frame: f, To: "/a?b=c&d='"} }},
		{"confirmed", func(f ui.Frame) ui.Page {
			f.Account, f.SigningIn = "", false
			return ui.Link{Frame: f}
		}},
		{"error-unavailable", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: f, Code: "unavailable"}
		}},
		{"error-expired", func(f ui.Frame) ui.Page { return ui.Error{Frame: f, Code: "expired"} }},
		{"error-budget", func(f ui.Frame) ui.Page {
			return ui.Error{Frame: in(f), Code: "budget", RetryAfter: 1900}
		}},
		{"page", func(f ui.Frame) ui.Page {
			return ui.Own{Frame: f, Title: "Sign in", Body: "<p>Welcome.</p>"}
		}},
		{"page-wide", func(f ui.Frame) ui.Page {
			return ui.Own{Frame: in(f), Title: "Home", Body: "<p>Welcome.</p>"}
		}},
	}...)
}
