# Everything a developer, CI and a new user run. Needs Go alone unless a target says more.

GO      ?= go
TOOLS   := $(GO) tool -modfile=internal/tools/go.mod
VERSION ?= 0.1.0
WINE    ?= wine
LDFLAGS := -s -w -X main.version=$(VERSION)

# Packages whose tests run a second time with the race detector: all in which goroutines meet.
RACE := ./engine/... ./stream/... ./store/... ./manifests/... ./internal/... ./dsl/testrun/... ./gen/...

.PHONY: run build image test test-386 test-all test-windows test-release lint generate update bench bench-doors bench-peers bench-scale release-proto laws fuzz torture cover clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: build ## serve the bank on 127.0.0.1:8080, embedded; data in ./data
	bin/aggd serve examples/bank

build: ## bin/aggd and bin/aggc
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/aggd ./cmd/aggc

image: ## the image of aggd without docker: bin/aggd-image.tar (linux, ca-certificates)
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/linux/aggd ./cmd/aggd
	cd internal/tools && $(GO) run ./image -binary ../../bin/linux/aggd -version $(VERSION) -o ../../bin/aggd-image.tar

# The laws that rapid checks, storms and torture draw the same cases in every run of these, so that what
# fails is the change's; make laws and make torture draw others.
test test-386 test-all test-windows test-release: export RAPID_SEED := 20261125

test: ## every test; those of concurrent packages with the race detector
	$(GO) vet ./...
	$(GO) test -timeout 5m $$($(GO) list ./... | grep -v -E '/(engine|stream|store|manifests|internal|gen|dsl/testrun)(/|$$)')
	$(GO) test ./engine/vm
	$(GO) test -race -timeout 8m $(RACE)

test-386: ## the language and the VM on a 32-bit machine, with the same results
	AGG_TEST_ALL=1 $(GO) test ./dsl/compile -run TestDeterminism
	GOARCH=386 CGO_ENABLED=0 $(GO) test ./dsl/value ./dsl/bytecode ./dsl/check ./engine/vm

test-all: lint test-386 ## what needs more than Go (node, npm, curl, Debian's tools): it installs what it needs
	deploy/test-tools
	AGG_TEST_ALL=1 $(GO) test ./internal/lsp -run Grammar
	AGG_TEST_ALL=1 $(GO) test ./dsl/report ./dsl/testrun ./internal/clienttest ./internal/deploytest
	cd internal/deploytest/parsers && $(GO) test ./...

# Packages that ask the operating system for something.
test-windows: ## their tests as Windows programs, run by WINE (10 or later); on Windows use go test
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) test -exec $(WINE) ./internal/diskspace ./internal/natsd ./internal/config ./store ./manifests ./dsl/...

test-release: ## what takes long: reproducible builds on every platform, the image, 50 stops under load
	GOOS=darwin GOARCH=arm64 $(GO) vet ./cmd/...
	cd internal/deploytest/parsers && AGG_TEST_ALL=1 $(GO) test -timeout 40m ./...
	$(GO) test ./cmd/aggd -run TestStopUnderLoad -stop-rounds 50

lint: ## gofmt, vet (for Windows too), staticcheck, aggc fmt, buf lint and breaking
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt'd:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	GOOS=windows GOARCH=amd64 $(GO) vet ./cmd/...
	@for m in $$(git ls-files '*/go.mod'); do (cd $$(dirname $$m) && $(GO) vet ./...) || exit 1; done
	$(TOOLS) staticcheck ./...
	@out=$$($(GO) run ./cmd/aggc fmt -l examples); if [ -n "$$out" ]; then echo "not aggc fmt'd:"; echo "$$out"; exit 1; fi
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf lint
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf breaking --against aggregate.binpb

generate: ## the code generated from proto/
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf generate --timeout 600s

release-proto: generate ## what later changes of proto/ are compared with
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf build --exclude-source-info -o aggregate.binpb

update: ## rewrite golden files and generated documents; read the diff
	$(GO) test $$(grep -rlE 'flag.Bool\("update"|internal/goldentest"' --include=*_test.go . | xargs -n1 dirname | sort -u) -update

bench: ## the figures of the rules, the engine and the doors; the peers' are make bench-peers
	$(GO) test -run '^$$' -bench 'Withdraw|CommandToEvent' -benchmem ./engine/vm
	$(GO) test -run '^$$' -bench 'SubmitAlone' -benchmem ./engine
	$(GO) test -run '^$$' -bench 'Submit' -benchmem ./engine/enginetest
	$(GO) test -run '^$$' -bench 'OverRaw|OverAlways|Hot' -benchtime 16000x ./engine/enginetest

bench-doors: ## each door beside an empty echo and the bare log
	$(GO) test -run '^$$' -bench Doors -benchtime 20000x ./internal/clienttest

bench-peers: ## the rule VM beside its peers: docs/performance.md (about three minutes)
	cd bench && $(GO) vet ./... && $(GO) run ./report -rounds 30 && $(GO) test ./...

bench-scale: ## a million aggregates: memory, starts, snapshots, cold loads: docs/scale.md (about 15 minutes, 6 GB of disk)
	$(GO) run ./internal/scale -o docs/scale.md

CHECKS ?= 3000
laws: ## every law of rapid, storms and decimals with cases drawn anew, CHECKS each
	@for p in $$(grep -rl '"pgregory.net/rapid"' --include=*_test.go . | xargs -n1 dirname | sort -u); do \
	  RAPID_CHECKS=$(CHECKS) $(GO) test -count=1 -timeout 1h $$p \
	    -run "^($$(awk '/^func Test/ {f=$$2; sub(/\(.*/, "", f)} /rapid\.Check\(/ {print f}' $$p/*_test.go | sort -u | paste -sd'|'))$$" || exit 1; done
	$(GO) test -count=1 -timeout 1h ./engine -run '^TestStorm$$' -storms $(CHECKS)
	$(GO) test -count=10 ./dsl/value -run '^TestDecimalAgainstAPD$$'

FUZZTIME ?= 2m
fuzz: ## every fuzz target, FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

KILLS ?= 500
CUTS  ?= 200
torture: ## kill -9 and power cuts under load; SEED=N replays; cuts need root on Linux
	$(GO) test ./internal/torture -count=1 -v -timeout 2h -run '^Test(Kills|PowerCuts)' -torture.load=400 \
	  -torture.kills=$(KILLS) -torture.natskills=200 -torture.cuts=$(CUTS) -torture.lossy=20 $(if $(SEED),-torture.seed=$(SEED))

cover: ## coverage of all packages, cover.html
	$(GO) test -coverprofile=cover.out -coverpkg=./... ./...
	$(GO) tool cover -html=cover.out -o cover.html

clean: ## built files and the data of make run
	rm -rf bin data cover.out cover.html
