// Command mutation changes the library in one place after the other and runs the tests that reach
// the place. A change that no test notices is a survivor: either it cannot matter, and
// survivors.txt says why, or a test is missing.
//
//	go run ./internal/mutation [-run regexp] [-files patterns] [-parallel n] [-patience d]
//	    [-most d] [-own] [-tests regexp] [-again file]
//
// It knows these changes: a condition, or a part of one, is always true or always false; a bound
// moves by one; + and -, * and / are swapped; a statement is left out; a function returns no error,
// the opposite, or nothing. It changes no constants and no conditions of loops to true.
//
// All mutants of a package are compiled into one test program, which switches on one after the
// other and runs the tests that reach it. A mutant takes no compilation, and mostly no process.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// target is a package to change, and the packages whose tests notice it, in this order.
type target struct {
	pkg   string
	tests []string
}

// targets are the packages that decide.
var targets = []target{
	{"lockout", []string{"lockout"}},
	{"seal", []string{"seal"}},
	{"storage", []string{"storage"}},
	{"trail", []string{"trail"}},
	{"exporting", []string{"exporting"}},
	{"totp", []string{"totp"}},
	{"recovery", []string{"recovery"}},
	{"pin", []string{"pin"}},
	{"email", []string{"email"}},
	{"sms", []string{"sms"}},
	{"mfa/internal/authority", []string{"mfa/internal/authority", "mfa", simulation}},
	{"mfa/internal/token", []string{"mfa/internal/token", "mfa", simulation}},
	{"mfa/internal/record", []string{"mfa/internal/record", "mfa", simulation}},
	{"mfa/internal/decide", []string{"mfa/internal/decide", "mfa", simulation}},
	{"mfa", []string{"mfa", simulation}},
	{"passkey", []string{"passkey"}},
	{"mfahttp", []string{"mfahttp"}},
}

const simulation = "internal/simulation"

// options are flags of test programs. A failure must leave no file, and the simulation has enough
// histories for everything to occur.
var options = map[string][]string{
	"lockout":  {"-rapid.nofailfile"},
	"mfa":      {"-rapid.nofailfile"},
	"recovery": {"-rapid.nofailfile"},
	"totp":     {"-rapid.nofailfile"},
	simulation: {"-histories", "3000"},
}

func main() {
	only := flag.String("run", "", "only the packages that match this regexp")
	var s settings
	flag.StringVar(&s.files, "files", "*",
		"only the files that match one of these patterns, which commas separate")
	flag.IntVar(&s.parallel, "parallel", 2, "how many mutants to try at once")
	flag.DurationVar(&s.patience, "patience", 30*time.Second,
		"how much longer than ten times the usual tests may take")
	flag.DurationVar(&s.most, "most", 0,
		"leave out tests that take more processor time, for a first look; 0: none")
	tests := flag.String("tests", "", "only the tests that match this regexp, for a first look")
	flag.StringVar(&s.again, "again", "", "only what survived in the output of an earlier run")
	flag.BoolVar(&s.own, "own", false, "only the tests of the package itself, for a first look")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *tests, s); err != nil {
		fmt.Fprintln(os.Stderr, "mutation:", err)
		os.Exit(1)
	}
}

// settings say how to try the mutants of a package.
type settings struct {
	files    string
	parallel int
	patience time.Duration
	most     time.Duration
	own      bool
	tests    *regexp.Regexp
	again    string
}

// leavesOut reports whether a test is left out.
func (s settings) leavesOut(t test) bool { return s.most > 0 && t.processor > s.most }

// survived returns the mutants that survived in the output of an earlier run, or all.
func (s settings) survived(all []result) ([]result, error) {
	if s.again == "" {
		return all, nil
	}
	before, err := os.ReadFile(s.again)
	if err != nil {
		return nil, err
	}
	killed := func(r result) bool {
		return !strings.Contains(string(before), "  "+r.String()+" (line ")
	}
	return slices.DeleteFunc(all, killed), nil
}

func run(ctx context.Context, only, tests string, s settings) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if s.tests, err = regexp.Compile(tests); err != nil {
		return err
	}
	known, err := explained(survivors)
	if err != nil {
		return err
	}
	missing := 0
	for _, t := range targets {
		if !match.MatchString(t.pkg) {
			continue
		}
		results, err := t.try(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", t.pkg, err)
		}
		missing += report(t.pkg, results, known)
	}
	if missing > 0 {
		return fmt.Errorf("%d survivors have no reason in survivors.txt", missing)
	}
	return nil
}

// result is what became of a mutant.
type result struct {
	mutant
	killer  string // the package whose test failed; "" for a survivor
	byTime  bool
	reached bool
}

// try tries all mutants of a package.
func (t target) try(ctx context.Context, set settings) ([]result, error) {
	scratch, err := os.MkdirTemp("", "mutation-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	began := time.Now()
	all, err := instrument(ctx, t.pkg, set.files, scratch)
	if err != nil {
		return nil, err
	}
	var suites []*suite
	for _, pkg := range t.tests {
		if set.own && pkg != t.pkg {
			continue
		}
		s, err := build(ctx, pkg, all, set.tests)
		if err != nil {
			return nil, err
		}
		s.patience = set.patience
		s.tests = slices.DeleteFunc(s.tests, set.leavesOut)
		suites = append(suites, s)
	}
	fmt.Printf("%s: %d mutants, compiled after %s\n", t.pkg, len(all.mutants),
		time.Since(began).Round(time.Second))
	results := make([]result, len(all.mutants))
	for i, m := range all.mutants {
		results[i].mutant = m
	}
	if results, err = set.survived(results); err != nil {
		return nil, err
	}
	for _, s := range suites {
		var todo []*result
		for i := range results {
			if r := &results[i]; r.killer == "" && s.reached(r.mutant) {
				r.reached = true
				todo = append(todo, r)
			}
		}
		if err := s.try(ctx, todo, set.parallel); err != nil {
			return nil, err
		}
	}
	return results, ctx.Err()
}
