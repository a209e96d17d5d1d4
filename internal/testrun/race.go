package main

// withoutRace are the packages whose tests run without the race detector, each with the reason.
// A package that is not named here runs with it. CONTRIBUTING.md has the times.
var withoutRace = map[string]string{}

// slow are the packages that take longest, the slowest first.
var slow = []string{
	"examples/nethttp",
	"internal/integration/browser",
	"internal/integration/databases",
	"internal/integration/manager",
	"password",
}
