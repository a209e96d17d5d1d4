package ui_test

import (
	"time"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// histories are the security settings with what happened to the account.
var histories = []sample{
	{"factors-history", func(f ui.Frame) ui.Page {
		f.SignedIn, f.SigningIn = true, false
		return ui.Factors{Frame: f, CanEnroll: true, MoreHistory: true, History: []ui.Event{
			{Time: now, Text: "admin.event.passed", Kind: "totp"},
			{Time: now.Add(-time.Minute), Text: "admin.event.failed", Kind: "totp"},
			{Time: now.AddDate(0, 0, -3), Text: "admin.event.unlocked", ByAdmin: true},
			{Time: now.AddDate(0, -1, 0), Text: "admin.event.device-remembered"}}}
	}},
	{"factors-history-failed", func(f ui.Frame) ui.Page {
		f.SignedIn, f.SigningIn = true, false
		return ui.Factors{Frame: f, CanEnroll: true, HistoryFailed: true}
	}},
}
