package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// A block of the list has a reason, and the mutants that it is for:
//
//	# why the change cannot matter
//	file function: change
//
//go:embed survivors.txt
var survivors string

// explained reads the list of survivors: the reason for each.
func explained(list string) (map[string]string, error) {
	known := make(map[string]string)
	for block := range strings.SplitSeq(strings.TrimSpace(list), "\n\n") {
		var reason []string
		for line := range strings.SplitSeq(block, "\n") {
			if text, ok := strings.CutPrefix(line, "# "); ok {
				reason = append(reason, text)
				continue
			}
			if len(reason) == 0 || known[line] != "" {
				return nil, fmt.Errorf("survivors.txt: %q has no reason, or two", line)
			}
			known[line] = strings.Join(reason, " ")
		}
	}
	return known, nil
}

// report prints the figures of a package and of its files, and returns how many survivors have no
// reason. It names those of the list that no longer survive, and the mutants that a time limit
// killed: on a busy machine the tests may have been slow for another reason, and -again tries them
// once more.
func report(pkg string, results []result, known map[string]string) (missing int) {
	killed, byTime, listed := 0, 0, 0
	var files []string
	all, noticed := make(map[string]int), make(map[string]int)
	for _, r := range results {
		reason := known[r.String()]
		if all[r.file]++; all[r.file] == 1 {
			files = append(files, r.file)
		}
		if r.killer != "" {
			noticed[r.file]++
		}
		switch {
		case r.killer == "" && reason != "":
			listed++
			continue
		case r.killer == "" && r.reached:
			missing++
			fmt.Printf("survives        %s (line %d)\n", r, r.line)
			continue
		case r.killer == "":
			missing++
			fmt.Printf("is not reached  %s (line %d)\n", r, r.line)
			continue
		}
		if killed++; r.byTime {
			byTime++
			fmt.Printf("takes too long  %s (line %d)\n", r, r.line)
		}
		if reason != "" {
			fmt.Printf("is killed, and listed  %s\n", r)
		}
	}
	for _, f := range files {
		fmt.Printf("%s: %d of %d killed (%.1f %%)\n", f, noticed[f], all[f],
			percent(noticed[f], all[f]))
	}
	fmt.Printf("%s: %d mutants, %d killed (%.1f %%), %d of them by time; "+
		"%d survive with a reason, %d without\n", pkg, len(results), killed,
		percent(killed, len(results)), byTime, listed, missing)
	return missing
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(1, whole)) }
