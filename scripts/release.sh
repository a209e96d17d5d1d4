#!/bin/sh
# Releases all modules together. By default it only checks and says what it would do:
#
#   scripts/release.sh v0.1.0        check the tree, the CHANGELOG, the go.mod and go.sum files
#   scripts/release.sh -tag v0.1.0   the same; then set the version, commit, and tag each module
#   scripts/release.sh -archive dir v0.1.0   write the archives of a tagged version, their
#                                    checksums and their provenance: the same bytes on every machine
#   scripts/release.sh -tidy         go mod tidy for every module
#
# It pushes nothing. A version that a module proxy has seen can never be changed, so run
# make test before you push.
set -eu
cd "$(dirname "$0")/.."
exec go run ./internal/integration/release/cmd "$@"
