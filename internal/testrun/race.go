package main

// withoutRace are the packages whose tests run without the race detector, each with the reason.
// A package that is not named here runs with it. CONTRIBUTING.md has the times.
var withoutRace = map[string]string{
	"examples/existing/after": "one browser, which sends one request after the other",
	"examples/migrating":      "it hashes by bcrypt as authboss does, for one user after the other",
	"examples/quickstart":     "it drives a program from outside",
	"examples/routers":        "one client, which sends one request after the other",
	"examples/web":            "it drives a program from outside",
	"examples/nethttp": "most tests send one request after the other; see " +
		"alsoRace",
	"internal/integration/authenticator": "one goroutine compares codes with other programs",
	"internal/integration/browser":       "it drives a browser and programs from outside",
	"internal/integration/clients":       "it drives programs from outside",
	"internal/integration/databases": "kills and outages of servers, from outside; " +
		"internal/integration/sqlite has the kit of storage/sqlstore with the race detector, and " +
		"internal/integration/manager has parallel users of the same servers",
	"internal/integration/example":      "it drives programs from outside",
	"internal/integration/field":        "one user, who sends one request after the other",
	"internal/integration/firstedition": "it reads records, one after the other",
	"internal/integration/javascript":   "it drives Node.js and a program from outside",
	"internal/integration/linearizability": "each process has one goroutine, and the checker is " +
		"half of the time; " +
		"internal/integration/manager has the goroutines",
	"internal/integration/proxy":   "one browser, which sends one request after the other",
	"internal/integration/redis":   "kills and outages of servers, from outside; see alsoRace",
	"internal/integration/release": "it drives the go command from outside",
	"internal/kdf/kdftest":         "one goroutine",
	"internal/structure":           "it reads source files",
	"mfahttp":                      "most tests send one request after the other; see alsoRace",
	"mfahttp/admin":                "one client, which sends one request after the other",
	"sms/phone":                    "a pure function over the table of a thousand numbers",
}

// alsoRace are the tests of those packages that have several goroutines. They run a second time,
// with the race detector.
var alsoRace = map[string][]string{
	"examples/nethttp": {
		// Many requests at once, and the goroutines that the application has beside them.
		"TestVerify_OneOfParallelResponsesSignsIn", "TestPasswordAttack_ThousandsAtOnce",
		"TestEndedSession_StaysEndedUnderLoad",
		"TestKill_KeepsWhatWasAcknowledged",
		"TestSessionStore_StoresAndEndsSessions", "TestClock_MovesForwardOnly",
		"TestConfirmations_SendOneRunAtATime",
		"TestReport_InvitesUsersWithoutAFactor",
		// A visit to the pages, for what they share with those goroutines.
		"TestPages_SignInAndOut",
	},
	"mfahttp": {"TestVerify_OneOfParallelResponsesSignsIn", "TestPages_SignInByEmail",
		"TestPages_EnrolAnAuthenticatorApp", "TestPages_StepUpAndReturn"},
	"internal/integration/redis": {"TestStore_Conforms", "TestStore_ConformsOnCluster"},
}

// notRace are tests of one goroutine, of packages that run with the race detector, which would
// take six times as long with it. They run without it alone.
var notRace = map[string][]string{
	"password": { // PBKDF2 with its real iterations
		"TestHasher_VerifiesWhatItHashed", "TestHasher_VerifiesAndReplacesBothSchemes",
		"TestHasher_UnderEnforcedFIPS", "TestHasher_PBKDF2Vector",
	},
}

// slow are the packages that take longest, the slowest first.
var slow = []string{
	"internal/integration/browser",
	"internal/integration/databases",
	"internal/integration/manager",
	"internal/integration/linearizability",
	"internal/integration/release",
	"password",
	"mfa",
	"mfahttp",
	"internal/integration/example",
	"internal/integration/clients",
	"internal/integration/sqlite",
	"internal/integration/redis",
	"examples/nethttp",
	"examples/userstable",
	"examples/load",
	"internal/protections",
	"password/throttle",
}
