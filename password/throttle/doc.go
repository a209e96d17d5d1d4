// Package throttle limits how often passwords are guessed, and keeps an attack on one login
// from keeping its user out.
//
//	limits, err := throttle.New(throttle.Config{Keys: keys}) // once for the process
//	attempt := throttle.Attempt{Name: typed, Client: network, Account: id, Pass: cookie}
//	err = limits.Do(ctx, attempt, func(ctx context.Context) error {
//		return hasher.Verify(ctx, hash, password)
//	})
//	// nil, password.ErrIncorrect, or a *throttle.BusyError: 429 with Retry-After
//	pass, expires := limits.NewPass(id) // after a complete sign-in, for a cookie
//
// # Limits
//
// Do charges an attempt before the password is verified, so that thousands of attempts at
// once get no more verdicts than as many one after the other. An attempt takes one place of
// its client, one of the name that was typed and one of those that hash. A correct password
// gives them back. An incorrect one keeps the places of the client and of the name until they
// are refilled, one each [Config.Every]. A name therefore gets at most [Config.PerName]
// incorrect verdicts and one more for each Every, over all clients together.
//
// # Queues
//
// An attempt without a free place waits for it, at most [Config.MaxWait] in all. The places of
// a name are given to its clients in turn, the places of a client to the names in turn, and
// the places that hash to the clients in turn. One client with many connections therefore
// delays itself, and an attempt from another network waits for one turn. Each queue is bounded.
// When it is full, the newest attempt of the client (or name) with the most attempts in it is
// refused with a [BusyError], and a refused attempt costs nothing.
//
// # Passes
//
// A browser that completed a sign-in holds a pass, a sealed token for that account. An attempt
// with a pass takes no place of its name or client, and so succeeds while an attack is under way.
// A pass authenticates no user. At most [Config.PerPass] incorrect passwords are verified with
// one pass in its lifetime; after that the attempt waits with all others.
//
// # What this does not do
//
// All counts are in memory, bounded, and those of one process. A restart refills them: an
// attacker who can restart the process gains PerName attempts for a name and PerPass for a
// pass. With several processes, an attacker has the limits of each. Names are counted as they
// are typed, not by account: an account that has two names has the limits of both. Were they
// counted together, the wait would show that two names belong to one account.
//
// An attacker with more networks than a queue has places can delay a user without a pass.
// The waits run by the monotonic clock, which no change of the system's time moves.
package throttle
