package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// How much of one failing test is printed. The log file has all of it.
const (
	maxFirst, maxLast = 60, 60 // lines of its own
	maxStack          = 40     // lines of one goroutine of a dump
)

var (
	goroutine = regexp.MustCompile(`^goroutine \d+ .*\[.*\]:$`)
	framing   = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) `)
	verdict   = regexp.MustCompile(`^\s*--- (FAIL|PASS|SKIP): `)
)

// split returns the lines of an output in two parts: the own ones, and those of goroutine
// dumps, one slice for each goroutine.
func split(output []string) (own []string, dump [][]string) {
	inDump := false
	for line := range strings.Lines(strings.Join(output, "")) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case goroutine.MatchString(line):
			dump, inDump = append(dump, nil), true
		case inDump && strings.HasPrefix(line, "    ") || verdict.MatchString(line):
			inDump = false // t.Log and testify indent with spaces, stacks with tabs
		}
		switch {
		case framing.MatchString(line):
		case inDump:
			dump[len(dump)-1] = append(dump[len(dump)-1], line)
		default:
			own = append(own, line)
		}
	}
	return own, dump
}

// ownLines are the lines that a test wrote itself.
func ownLines(output []string) (list []string) {
	own, _ := split(output)
	for _, line := range own {
		if strings.TrimSpace(line) != "" && !verdict.MatchString(line) {
			list = append(list, line)
		}
	}
	return list
}

// trim shortens the output of a failing test: its own lines come first, one stack after them,
// and the other goroutines are counted. The stack is the first that names the test: the first of
// all is the timer's where a test hangs.
func trim(test string, output []string) (lines []string) {
	own, dump := split(output)
	lines = shorten(own, maxFirst, maxLast)
	if len(dump) == 0 {
		return lines
	}
	root, _, inner := strings.Cut(test, "/")
	call := "." + root + "("
	if inner {
		call = "." + root + ".func" // the subtest's own goroutine
	}
	at := slices.IndexFunc(dump, func(stack []string) bool {
		text := strings.Join(stack, "\n")
		return strings.Contains(text, call) && strings.Contains(text, "\ntesting.tRunner(")
	})
	lines = append(lines, shorten(dump[max(at, 0)], maxStack, 0)...)
	if n := len(dump) - 1; n > 0 {
		lines = append(lines, fmt.Sprintf("    ... and %d more goroutines", n))
	}
	return lines
}

func shorten(lines []string, first, last int) []string {
	left := len(lines) - first - last
	if left <= 0 {
		return lines
	}
	short := append([]string(nil), lines[:first]...)
	short = append(short, fmt.Sprintf("    ... %d lines left out", left))
	return append(short, lines[len(lines)-last:]...)
}
