#!/bin/sh
# Runs the linters that "make check" runs beside gofmt, vet and staticcheck: misspell over all
# texts, and errorlint over all modules, tests included. They are built from tools/go.mod.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.cache
mkdir -p "$bin"
(cd tools && GOWORK=off go build -o "$bin/misspell" github.com/client9/misspell/cmd/misspell)
(cd tools && GOWORK=off go build -o "$bin/errorlint" github.com/polyfloyd/go-errorlint)

# "adres" and "demonstratie" are Dutch.
git ls-files -- '*.go' '*.md' '*.html' '*.sh' '*.yml' | tr '\n' '\0' |
	xargs -0 "$bin/misspell" -error -i adres,demonstratie

# errorlint knows no exceptions. A line that compares one very error says so by
# "//nolint:errorlint" and a reason.
"$bin/errorlint" work >"$bin/errorlint.log" 2>&1 && exit 0
failed=0
while IFS= read -r found; do
	file=${found%%:*} rest=${found#*:}
	line=${rest%%:*}
	if [ -f "$file" ] && sed -n "${line}p" "$file" | grep -q '//nolint:errorlint // [a-z]'; then
		continue
	fi
	echo "$found"
	failed=1
done <"$bin/errorlint.log"
exit $failed
