package main

// withoutRace are the packages whose tests run without the race detector, each with the reason.
// A package that is not named here runs with it. CONTRIBUTING.md has the times.
var withoutRace = map[string]string{
	"examples/quickstart":                "it drives a program from outside",
	"internal/integration/authenticator": "one goroutine compares codes with other programs",
	"internal/integration/browser":       "it drives a browser and programs from outside",
	"internal/integration/example":       "it drives programs from outside",
	"internal/kdf/kdftest":               "one goroutine",
	"internal/structure":                 "it reads source files",
	"internal/testrun":                   "one goroutine reads events",
	"sms/phone":                          "a pure function over the table of a thousand numbers",
}

// slow are the packages that take longest, the slowest first.
var slow = []string{
	"internal/integration/browser",
	"internal/integration/databases",
	"internal/integration/manager",
	"internal/integration/linearizability",
	"examples/nethttp",
	"internal/integration/redis",
	"internal/integration/example",
	"internal/integration/sqlite",
	"password",
}
