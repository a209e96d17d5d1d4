// Package simulation tests the library in simulated histories, each of which one number decides:
// what the users, the attackers and the administrators do, what the store, the senders and the
// clock do to them, and where two processes meet.
//
//	go test ./internal/simulation -run TestSimulation_HoldsEveryInvariant -seed 4711 -v
//
// replays the history of a seed and prints its steps. A history that breaks an invariant is
// reduced to the steps that it takes.
//
// A world has several Managers over one store. The factors are small, so that a step takes
// microseconds; the store, the records, the tokens, the limits and the decisions are the real
// ones. A ledger is kept beside them, from the documents and not from the code:
// docs/threat-model.md, the sections "Authority" and "The path of a response" of
// docs/architecture.md, and the comments of packages mfa and lockout. After each step the two are
// compared.
//
// The package has tests alone, and nothing to import.
package simulation
