#!/bin/sh
# Says what make test is about to do, and how long that takes.
set -eu
cat <<'TEXT'
make test: four steps, ten to thirteen minutes on two idle cores, twenty to thirty-five on busy ones.
  1. install the programs that the tests run against, if they are missing (scripts/tools.sh)
  2. gofmt, go vet and staticcheck
  3. the suites of all modules; a line for each package when it ends
  4. the output of failing tests, the total, the slowest packages, and the counts
TEXT
modules=$(go env GOMODCACHE)
if [ ! -d "$modules/cache/download/modernc.org" ]; then
	echo "First run: Go downloads about 100 MB of modules and compiles them, some minutes more."
elif [ ! -d "$(go env GOCACHE)/00" ]; then
	echo "First run: Go compiles all dependencies, some minutes more."
fi
