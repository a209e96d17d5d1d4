# The commands a contributor needs: make test, make bench, make fmt.

GO         ?= go
STATICCHECK = $(CURDIR)/.cache/staticcheck
TESTRUN     = $(GO) run ./internal/testrun -log .cache/test.log

# Gin, which one example uses, leaves out a codec that takes longer to compile than the rest of that
# example. Without paths, the test that builds each module from outside finds the packages in the
# build cache.
export GOFLAGS := $(strip $(GOFLAGS) -tags=nomsgpack -trimpath)

.PHONY: test test-long protections mutation sbom about tools check unit bench fmt tidy vuln

## test: everything: tools, formatting, vet, staticcheck, and the suites of all modules.
test: about tools check unit

about:
	@scripts/about.sh

## tools: install what the tests run against, or say what is missing.
tools:
	@scripts/tools.sh

## check: gofmt, vet, staticcheck, misspell and errorlint over all modules.
check:
	@echo "== gofmt"
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "not formatted (run make fmt):"; echo "$$bad"; exit 1; fi
	@echo "== go vet"
	@$(GO) vet work
	@$(GO) vet -tags databases ./examples/nethttp
	@echo "== staticcheck"
	@cd tools && GOWORK=off $(GO) build -o $(STATICCHECK) honnef.co/go/tools/cmd/staticcheck
	@$(STATICCHECK) work
	@cd examples && $(STATICCHECK) -tags databases ./nethttp
	@echo "== misspell, errorlint"
	@scripts/lint.sh

## unit: the suites of all modules. Missing tools fail the tests that need them, unless ALLOW_MISSING=1.
unit:
	@SECONDGATE_REQUIRE_TOOLS=$(if $(ALLOW_MISSING),,1) $(TESTRUN)

## test-long: the same proofs with more rounds, each benchmark once, and every fuzz target for a minute.
test-long: tools check
	@SECONDGATE_REQUIRE_TOOLS=1 $(TESTRUN) -long -limit 12h -silence 3h
	SECONDGATE_RECORDS=1000 $(GO) test -run '^$$' -bench . -benchtime 1x work
	scripts/fuzz.sh 60s

## protections: take out each protection in a copy of the module; its test must then fail.
protections:
	$(GO) run ./internal/protections $(if $(RUN),-run '$(RUN)')

## mutation: change the library in one place after the other; its tests must notice each change.
mutation:
	$(GO) run ./internal/mutation $(if $(RUN),-run '$(RUN)')

## bench: the benchmarks; fails if a ratio is worse than in internal/benchratio/ratios.txt by a fifth.
bench:
	$(GO) test -run '^$$' -bench . -benchmem work | $(GO) run ./internal/benchratio

fmt:
	gofmt -w $$(git ls-files '*.go')

## tidy: go mod tidy for every module, against the others as they are here. go list completes
## go.work.sum, which go doc would otherwise change.
tidy:
	@scripts/release.sh -tidy
	@$(GO) list -m all >/dev/null

## vuln: known vulnerabilities; needs the vulnerability database, or VULNDB=file:///path.
vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(if $(VULNDB),-db $(VULNDB)) ./...

## sbom: what the library is made of, in CycloneDX; DIR is the directory of another module.
sbom:
	@mkdir -p .cache
	GOWORK=off $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0 \
		mod -json -noserial -notimestamp -type library -std -output .cache/sbom.cdx.json $(or $(DIR),.)
