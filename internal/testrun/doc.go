// Testrun runs the suites of all modules for make test and reports them.
//
// It prints one line for each package when the package ends. It prints the output of failing
// tests after the last package, where a reader looks for it, and shortens goroutine dumps. Its
// last lines are the total, the slowest five packages, and the counts of tests.
//
// Usage:
//
//	testrun [-long] [-read] [-limit 2h] [-silence 25m] [-log file] [packages]
//
// With -read it reports the events of go test -json from standard input and runs nothing.
package main
