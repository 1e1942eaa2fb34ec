# The two commands of the README are `make run` and `make test`.

BINARY := sokuji
# Pure packages, which the race detector can build without an hour of SQLite.
RACE   := ./internal/ledger ./internal/ledger/memorystore ./internal/ledger/simulate ./internal/readcache ./internal/limits ./internal/apikeys ./internal/gateway ./internal/realtime ./internal/metering
FUZZ_SECONDS ?= 60
SOAK_SEEDS   ?= 10000
SOAK_IMPORT_ROWS ?= 1000000
FUZZ   := internal/betterauth:FuzzParseBearer internal/betterauth:FuzzFromCookies internal/betterauth:FuzzDecodeSignUp \
          internal/betterauth:FuzzOpen internal/betterauth:FuzzStateFromCookies internal/betterauth:FuzzWithQuery internal/betterauth:FuzzAsksNotToRemember \
          internal/accounts/password:FuzzVerifyScrypt internal/apikeys:FuzzParse internal/apikeys:FuzzParseAddresses internal/apikeys:FuzzModels \
          hooks:FuzzKeyForm internal/pricing:FuzzParseSeconds internal/pricebook:FuzzRead \
          internal/metering:FuzzParseBody internal/metering:FuzzMeter internal/metering:FuzzReadAsk \
          hooks:FuzzParseFields hooks:FuzzCursors internal/export:FuzzText internal/d1import:FuzzStatements internal/ledger/statement:FuzzVerify \
          internal/ledger/verify:FuzzCheckpoint internal/ledger/verify:FuzzColumn internal/ledger/verify:FuzzFile \
          internal/gateway:FuzzEventReader internal/gateway:FuzzParseBody internal/gateway:FuzzHideUsage internal/gateway:FuzzReadForm internal/fakeprovider:FuzzParseSwitches internal/fakeprovider:FuzzRequests internal/realtime:FuzzClientEvents internal/realtime:FuzzServerEvents

# The parsers of what strangers send, which also the short run fuzzes.
FUZZ_SHORT         := internal/betterauth:FuzzParseBearer internal/betterauth:FuzzFromCookies \
                      internal/accounts/password:FuzzVerifyScrypt internal/d1import:FuzzStatements
FUZZ_SHORT_SECONDS ?= 10

# fuzz runs targets, package:function, for so many seconds each.
define fuzz
	for target in $(1); do \
		go test ./$${target%%:*} -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(2)s || exit 1; \
	done
endef

.PHONY: run demo build test test-go test-fuzz test-js tools bench soak clean

run: build
	./$(BINARY) serve

# demo starts a server to try, with a fake provider behind it.
demo: build
	./$(BINARY) demo

build:
	CGO_ENABLED=0 go build -trimpath -o $(BINARY) .

test: tools test-go test-fuzz test-js

test-go: build
	gofmt -l . | (! grep .)
	go vet ./...
	SOKUJI_BIN=$(CURDIR)/$(BINARY) go test -timeout 10m ./...
	SIMULATE_SEEDS=25 go test -race -timeout 10m $(RACE)

test-fuzz:
	$(call fuzz,$(FUZZ_SHORT),$(FUZZ_SHORT_SECONDS))

test-js: build
	SOKUJI_BIN=$(CURDIR)/$(BINARY) npm --prefix e2e/js test

# tools installs what the tests need and the machine does not have.
tools:
	e2e/install.sh

bench: build
	SOKUJI_BIN=$(CURDIR)/$(BINARY) go run ./e2e/bench

# soak is the long version of the tests: everything under the race detector, more
# crashes, a larger import, more simulated seeds, more random histories, and the fuzzers.
soak: build
	go test -race -timeout 30m ./hooks ./internal/...
	SOKUJI_BIN=$(CURDIR)/$(BINARY) SOKUJI_CRASH_ROUNDS=50 go test -timeout 60m -count=1 -v -run Crash ./e2e
	SOKUJI_BIN=$(CURDIR)/$(BINARY) SOKUJI_IMPORT_ROWS=$(SOAK_IMPORT_ROWS) go test -timeout 120m -count=1 -v -run Import ./e2e
	SIMULATE_SEEDS=$(SOAK_SEEDS) go test -timeout 120m -count=1 -v -run TestSeeds ./internal/ledger/simulate
	go test -timeout 60m -count=1 -run TestTheLedgerBehavesLikeTheNaiveModel ./internal/ledger -rapid.checks=50000
	$(call fuzz,$(FUZZ),$(FUZZ_SECONDS))

clean:
	rm -f $(BINARY)
	rm -rf e2e/js/node_modules
