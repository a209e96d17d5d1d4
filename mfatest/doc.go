// Package mfatest helps an application, or a factor or store of your own, to test what must hold
// when time passes and storage fails: a [Clock] that stands still until a test moves it, and a
// [FaultyStore] that fails where a test says.
//
//	clock := mfatest.NewClock(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
//	store := mfatest.NewFaultyStore(memory.New())
//	m, err := mfa.New(mfa.Config{Store: store, Clock: clock, …})
//	…
//	clock.Advance(91 * time.Second)       // the code that was sent is now too old
//	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: errNetwork})
//	…                                     // the next write is made, and reported as failed
//
// Nothing here belongs in a program that users sign in to.
package mfatest
