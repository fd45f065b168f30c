# What there is to do: make help
.DEFAULT_GOAL := help

.PHONY: help
help: ## say what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build bin/caddy
	go build -o bin/caddy ./caddy/cmd/caddy

.PHONY: run
run: ## start Caddy with all providers and a backend, send one of each, serve on (ONCE=1: end)
	go build -o bin/ ./caddy/cmd/caddy ./examples/quickstart ./examples/quickstart/backend
	@bin/quickstart

# The Envoys that the tests run on: one here, all that are supported in CI.
ENVOYS ?= $(if $(CI),1.36.4 1.38.2 1.40.0,1.40.0)

.PHONY: tools
tools: ## install what the tests need besides Go
	e2e/setup.sh $(ENVOYS)

.PHONY: test
test: tools ## run all tests, through the real programs too
	go test -race -shuffle=on -timeout 15m ./...

.PHONY: lint
lint: ## formatting, vet for both targets, signatures in the cases
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	GOOS=wasip1 GOARCH=wasm go vet ./core/...
	python3 core/cases/sign.py --check
	go mod tidy -diff

.PHONY: check
check: lint test ## lint and test
