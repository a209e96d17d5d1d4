// Package exploration runs two processes over one store in every order in which their calls to it
// can follow one another.
//
// The processes are Managers; the store, the records, the tokens and the factors are real, but for
// the factor that sends codes. Processes meet in the calls of storage.Store and nowhere else. So a
// scheduler that answers one call at a time, and tries each choice of the next one, has all
// orders. A process that has nothing to do begins any of six operations for either of two users.
//
// States in which the rest is the same are explored once: the records have the same content, the
// processes have read the same, and the ledger says the same. The two users are alike, and so are
// the two processes, so a state and its mirror image are one.
//
// The ledger is written from the documents, as that of internal/simulation is, and checks each
// outcome: the limits are exact, everything works once, nothing that was counted is lost, and a
// correct response that nothing stands against is accepted.
//
// Two things hold still. The clock does, so that no lock ends. And no operation keeps a random
// value in the store to recognise it later, as the lease of an Expensive factor does;
// internal/simulation has these.
//
// The package has tests alone, and nothing to import.
package exploration
