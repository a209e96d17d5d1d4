// Package mfatest helps an application, or a factor or store of your own, to test what must hold
// when users sign in, time passes and storage fails.
//
// A [Client] is a browser for an application's handler. It passes the second factor in one line,
// with an [App] that computes codes, or an [Outbox] that receives them:
//
//	client := mfatest.NewClient(t, app)
//	client.Post(t, "/login", url.Values{"email": {"ann@example.com"}, "password": {"…"}})
//	client.PassSecondFactor(t, new(mfatest.App))
//	page := client.Get(t, "/account")
//
// [Code] and [Link] read messages, and [AppCode] computes the code of an app at a time.
//
// A [Clock] stands still until a test moves it, and a [FaultyStore] fails where a test says:
//
//	clock := mfatest.NewClock(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
//	store := mfatest.NewFaultyStore(memory.New())
//	m, err := mfa.New(mfa.Config{Store: store, Clock: clock, …})
//	…
//	clock.Advance(91 * time.Second)       // the code that was sent is now too old
//	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: errNetwork})
//	…                                     // the next write is made, and reported as failed
//
// A [FactorKit] tests a factor against what the Manager relies on.
//
// Nothing here belongs in a program that users sign in to.
package mfatest
