#!/bin/sh
# Runs every fuzz target of all modules for the time given (default 30s).
set -eu
for dir in $(git ls-files '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/func //' | sort -u); do
		echo "fuzz $dir $target"
		(cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-30s}" .)
	done
done
