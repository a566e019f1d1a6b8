# Everything a developer, CI and a new user run. Needs Go alone unless a target says more.

GO      ?= go
TOOLS   := $(GO) tool -modfile=internal/tools/go.mod
VERSION ?= 0.1.0
LDFLAGS := -s -w -X main.version=$(VERSION)

# Packages whose tests run a second time with the race detector: all in which goroutines meet.
RACE := ./engine/... ./stream/... ./store/... ./manifests/... ./internal/... ./dsl/testrun/... ./gen/...

.PHONY: run build test test-all test-race lint generate update bench fuzz cover clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: build ## serve the bank on 127.0.0.1:8080, embedded; data in ./data
	bin/aggd serve examples/bank

build: ## bin/aggd and bin/aggc
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/aggd ./cmd/aggc

test: ## every test; those of concurrent packages with the race detector
	$(GO) vet ./...
	$(GO) test $$($(GO) list ./... | grep -v -E '/(engine|stream|store|manifests|internal|gen|dsl/testrun)(/|$$)')
	$(GO) test ./engine/vm
	$(GO) test -race $(RACE)

test-all: test lint ## make test, and what needs more than Go

lint: ## gofmt, vet, staticcheck, buf lint
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt'd:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(TOOLS) staticcheck ./...
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf lint

generate: ## the code generated from proto/
	cd proto && $(GO) tool -modfile=../internal/tools/go.mod buf generate --timeout 600s

update: ## rewrite golden files and generated documents; read the diff
	$(GO) test $$(grep -rl 'flag.Bool("update"' --include=*_test.go . | xargs -n1 dirname | sort -u) -update

bench: ## the figures of README and docs
	$(GO) test -run '^$$' -bench . -benchmem ./engine/vm ./dsl/value
	$(GO) test -run '^$$' -bench . -benchmem ./engine/enginetest

FUZZTIME ?= 2m
fuzz: ## every fuzz target, FUZZTIME each
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

cover: ## coverage of all packages, cover.html
	$(GO) test -coverprofile=cover.out -coverpkg=./... ./...
	$(GO) tool cover -html=cover.out -o cover.html

clean: ## built files and the data of make run
	rm -rf bin data cover.out cover.html
