package main

// withRace are the packages with tests that have several goroutines. These tests run with the race
// detector, and without a list all tests of the package do, as most have goroutines or are quick.
// Tests of one goroutine run without it, as it finds nothing there and takes five times as long.
// TestPlan_RunsTestsWithGoroutinesWithTheRaceDetector finds what is missing. CONTRIBUTING.md has
// the times.
var withRace = map[string][]string{
	"email/smtp":                     nil,
	"examples/customfactor":          nil,
	"examples/customstore":           nil,
	"examples/load":                  nil,
	"examples/portal":                nil,
	"examples/operating":             nil,
	"examples/sessions":              nil,
	"examples/tenants":               nil,
	"examples/userstable":            nil,
	"internal/integration/mail":      nil,
	"internal/integration/manager":   nil,
	"internal/integration/sqlite":    nil,
	"internal/integration/telemetry": nil,
	"internal/keyed":                 nil,
	"mfa/factor":                     nil,
	"mfatest":                        nil,
	"otelmfa":                        nil,
	"password/throttle":              nil,
	"pin":                            nil,
	"portal":                         nil,
	"recovery":                       nil,
	"seal":                           nil,
	"storage":                        nil,
	"storage/memory":                 nil,
	"storage/sqlstore":               nil,
	"storage/storagetest":            nil,
	"internal/integration/trail":     nil,
	"trail":                          nil,

	"cmd/secondgate": {"TestCombining_GivesEachWriteItsResult",
		"TestCombining_MakesOneOfSeveralWrites", "TestCombining_GivesEachWriteTheFailure",
		"TestCombining_WorksWithoutBatches", "TestImport_KeepsItsKeyThroughARotation"},
	"examples/nethttp": {
		// Many requests at once, and the goroutines that the application has beside them.
		"TestVerify_OneOfParallelResponsesSignsIn", "TestPasswordAttack_ThousandsAtOnce",
		"TestEndedSession_StaysEndedUnderLoad",
		"TestKill_KeepsWhatWasAcknowledged",
		"TestSessionStore_StoresAndEndsSessions", "TestClock_MovesForwardOnly",
		// A visit to the pages, for what they share with those goroutines.
		"TestPages_SignInAndOut",
	},
	"internal/mutation":   {"TestTarget_FindsWhatNoTestNotices"},
	"mfahttp/internal/ui": {"TestRender_InParallel", "TestRenderer_PreparesALanguageOnce"},
	"mfahttp": {"TestVerify_OneOfParallelResponsesSignsIn", "TestPages_SignInByEmail",
		"TestPages_EnrolAnAuthenticatorApp", "TestPages_StepUpAndReturn",
		"TestReady_ReadsOnceForAllWhoAsk"},
	"internal/testrun": {"TestLanes_EndTogetherIfGoTestFails", "TestLanes_ReportEveryPackageOnce",
		"TestRun_InterruptEndsEveryLane", "TestRun_LimitEndsEveryLane",
		"TestStreams_ReportAtTheSameTime"},
	"internal/integration/redis": {"TestStore_Conforms", "TestStore_ConformsOnCluster"},
	"mfa": {
		"TestConfirm_WorksOnce", "TestDevice_SignsInWithSeveralRequestsAtOnce",
		"TestIdentity_IsOneUsersAlsoInParallel", "TestManager_LeavesNoGoroutine",
		"TestPasswordless_UsesAChallengeOnce", "TestPending_OneApprovalSignsInOnce",
		"TestPostpone_ExactInParallel",
		"TestRateLimit_IsNeverExceededInParallel", "TestRecoveryLink_WorksOnceInParallel",
		"TestReencrypt_BesideTraffic", "TestReencrypt_WritesFromThePage",
		"TestSeveralPages_BoundsTheWork",
		"TestVerifyExpensive_ChargesFirst",
		"TestSendFirst_OfManyAtOnceSendsOne", "TestSendFirst_SendsOnceForAChallenge",
		"TestVerifyExpensive_OneAtATime", "TestVerify_AcceptsOneOfParallelResponses",
		"TestVerify_CountsParallelResponses", "TestVerify_LateCodesAddNoGuess",
	},
	"password": {"TestLink_IsUsedOnce"},
	".":        {"TestKeyFile_IsMadeOnce"},
	"passkey": {"TestFactor_Conforms", "TestManager_EnrolsAChangedPasskeyAnewWithAnApp",
		"TestVerify_CountsIncorrectResponsesInParallel",
		"TestVerify_OneOfParallelResponsesSucceeds"},
	"sms": {"TestHTTP_SendsInParallel", "TestManager_AcceptsACodeOnce"},
	"sso": {"TestCallback_OneResponseSignsInOnce", "TestLink_OneAccountHasOneUser",
		"TestService_StoreFaultsSignNobodyIn", "TestUnlink_KeepsAnAccountLinkedMeanwhile"},
}

// joined are functions of the library that start goroutines, and return when these have ended,
// each with the reason why the tests that call it are known.
var joined = map[string]string{
	"github.com/secondgate/secondgate/mfa.severalPages": "Manager.Reencrypt and Admin.Report call " +
		"it, and the tests beside traffic and from a page are listed",
}

// alsoPlain are tests of withRace that run without the race detector as well, each with the
// reason. A pattern that leaves out a test is for all packages of a step.
var alsoPlain = map[string]string{
	"TestStore_Conforms": "internal/integration/databases has one of that name",
}

// withoutRace are the packages of which some tests with goroutines run without the race detector,
// and those that gain nothing from it in make test-long, each with the reason.
var withoutRace = map[string]string{
	"examples/existing/after": "one browser, which sends one request after the other",
	"examples/migrating":      "it hashes by bcrypt as authboss does, for one user after the other",
	"examples/quickstart":     "it drives a program from outside",
	"examples/routers":        "one client, which sends one request after the other",
	"examples/web":            "it drives a program from outside",
	"cmd/secondgate":          "one command after the other; see withRace",
	"examples/nethttp": "most tests send one request after the other; see " +
		"withRace",
	"internal/integration/authenticator": "one goroutine compares codes with other programs",
	"internal/integration/browser":       "it drives a browser and programs from outside",
	"internal/integration/clients":       "it drives programs from outside",
	"internal/integration/clusters": "three servers each, from outside; the adapters start no " +
		"goroutine",
	"internal/integration/command": "it drives a program from outside",
	"internal/integration/databases": "kills and outages of servers, from outside; " +
		"internal/integration/sqlite has the kit of storage/sqlstore with the race detector, and " +
		"internal/integration/manager has parallel users of the same servers",
	"internal/integration/example":      "it drives programs from outside",
	"internal/integration/field":        "one user, who sends one request after the other",
	"internal/integration/fips":         "it drives the go command; one user signs in",
	"internal/integration/firstedition": "it reads records, one after the other",
	"internal/integration/javascript":   "it drives Node.js and a program from outside",
	"internal/integration/linearizability": "each process has one goroutine, and the checker is " +
		"half of the time; " +
		"internal/integration/manager has the goroutines",
	"internal/integration/phishing":  "one relay, with one victim after the other",
	"internal/integration/proxy":     "one browser, which sends one request after the other",
	"internal/integration/redis":     "kills and outages of servers, from outside; see withRace",
	"internal/integration/release":   "it drives the go command from outside",
	"internal/integration/standins":  "two servers, from outside; the adapters start no goroutine",
	"internal/integration/verifiers": "one goroutine compares verdicts with those of others",
	"internal/kdf":                   "one goroutine",
	"internal/kdf/kdftest":           "one goroutine",
	"internal/mutation":              "half of it reads the code; see withRace",
	"mfa/internal/exploration":       "its processes take turns, and one of them runs at a time",
	"internal/simulation":            "each history has one goroutine, and histories share nothing",
	"internal/structure":             "it reads source files",
	"internal/testrun":               "half of it reads source files; see withRace",
	"mfahttp":                        "most tests send one request after the other; see withRace",
	"mfahttp/internal/ui":            "most tests render one page after the other; see withRace",
	"mfahttp/admin":                  "one client, which sends one request after the other",
	"sms/phone":                      "a pure function over the table of a thousand numbers",
}

// slow are the packages that take longest, the slowest first.
var slow = []string{
	"internal/integration/browser",
	"internal/integration/command",
	"internal/integration/databases",
	"internal/integration/release",
	"examples/nethttp",
	"internal/integration/clients",
	"internal/integration/redis",
	"internal/integration/clusters",
	"internal/integration/linearizability",
	"internal/integration/manager",
	"internal/integration/sqlite",
	"internal/simulation",
	"mfa/internal/exploration",
	"internal/integration/example",
	"examples/userstable",
	"internal/testrun",
	"mfahttp/internal/ui",
	"mfahttp",
	"internal/integration/field",
	"password/throttle",
	"mfa",
	"mfatest",
	"internal/protections",
	"internal/integration/javascript",
	"email",
	"examples/load",
	"password",
}
