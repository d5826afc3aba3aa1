# Everything a person does with this repository. "make" alone lists it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO     ?= go
STATIC := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w'
# Without its own name for the loader, a Go program for 32-bit ARM that opens C libraries asks for the
# soft-float loader, which no board of ours has.
ARMHF  := CGO_ENABLED=0 GOARCH=arm GOARM=7 $(GO) build -trimpath -ldflags '-s -w -I /lib/ld-linux-armhf.so.3'

# How long the whole test run, one fuzz target and the soak may take.
TEST_TIME ?= 14m
FUZZ_TIME ?= 20s
SOAK_TIME ?= 10m

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the controller and 23 simulated loudspeakers here; Ctrl-C stops them
	@scripts/setup run
	@echo "building three programs; the first time fetches modules and takes some minutes"
	@$(MAKE) build
	@scripts/demo

.PHONY: build
build: ## build the three programs into bin/
	$(STATIC) -o bin/loaxa-controller ./controller
	$(STATIC) -o bin/loaxa-device ./device
	$(STATIC) -o bin/loaxa-guard ./device/guard

.PHONY: test
test: check ## vet, staticcheck, gofmt, then every test once; the last line is the count
	@$(GO) test -json -count=1 -timeout $(TEST_TIME) ./... 2>&1 | $(GO) run ./scripts/tally

.PHONY: check
check: ## vet, staticcheck and gofmt alone
	@unformatted=$$(gofmt -l $$(find . -name '*.go' -not -path './bin/*' -not -path './.git/*')); \
	  if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: race
race: ## every test under the race detector (needs gcc)
	@CGO_ENABLED=1 $(GO) test -race -json -count=1 -timeout 30m ./... 2>&1 | $(GO) run ./scripts/tally

.PHONY: cross
cross: ## build the board's programs for arm64 and armv7 into bin/cross and record their sizes
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -trimpath -ldflags '-s -w' -o bin/cross/arm64/loaxa-device ./device
	CGO_ENABLED=0 GOARCH=arm64 $(GO) build -trimpath -ldflags '-s -w' -o bin/cross/arm64/loaxa-guard ./device/guard
	$(ARMHF) -o bin/cross/armv7/loaxa-device ./device
	$(ARMHF) -o bin/cross/armv7/loaxa-guard ./device/guard
	@cd bin/cross && stat -c '%10s bytes  %n' */loaxa-* | tee sizes.txt

.PHONY: emulate
emulate: cross ## start the cross-built programs under qemu
	@scripts/emulate

.PHONY: bench
bench: ## every benchmark once, with the machine's conditions
	@echo "# $$(date -u +%FT%TZ), $$(nproc) cores, $$(uname -sr), load $$(cut -d' ' -f1-3 /proc/loadavg), $$($(GO) version)"
	@$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./... | sed -u $$'s/\t */\\\n    /g'

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZ_TIME (20s), as many at a time as there are processors
	@scripts/fuzz $(FUZZ_TIME)

.PHONY: soak
soak: ## the long forms of the tests, then every test in random order for SOAK_TIME (10m); STAGE=name for one
	@$(GO) run ./scripts/soak -time $(SOAK_TIME) $(STAGE)

.PHONY: clean
clean: ## remove what was built and what the demo recorded
	rm -rf bin
