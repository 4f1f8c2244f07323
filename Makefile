# Each target is one command that may be typed by hand as well. `make help` lists them.
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT    ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
TAGS      := nomsgpack
LDFLAGS   := -s -w -X escalator/handlers/cli.Version=$(VERSION) -X escalator/handlers/cli.Commit=$(COMMIT)
TOOL      := go tool -modfile=tools/go.mod
PKG       ?= ./...
PREFIX    ?= /usr/local
DESTDIR   ?=
FUZZTIME  ?= 30s
BENCH     ?= .
COUNT     ?= 1
BASE      ?= HEAD~1
BENCHARGS ?=
# The benchmark is a module of its own. It is visited when everything is meant, and so is what its and other tests need beside Go.
WHOLE     := $(filter ./...,$(PKG))
# These drive other processes, or mostly load and ask rule files, six times slower under the race detector.
# What they share between goroutines is in the tests named …AtOnce, Follow, Demo and Stalled. `make race` takes all.
UNRACED   := escalator/(rules|handlers/(e2e|browser|cli))

.DEFAULT_GOAL := help
.PHONY: help run build install kit release-check test parts history race crash powerloss model suggest-figures chaos walk overload replicas fuzz bench curves microbench compare lint fmt vuln cover check docker clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' Makefile

run: ## the service against the built-in Desk emulator, without any setting
	go run -tags $(TAGS) . demo

build: ## bin/escalator: static, stripped, with its version
	CGO_ENABLED=0 go build -tags $(TAGS) -trimpath -buildvcs=false -ldflags "$(LDFLAGS)" -o bin/escalator .

# It does not build: under sudo there may be no Go, and a compiler should not run as root.
install: ## after make build: program, manual page, completion, unit and settings below PREFIX (/usr/local); what is configured stays
	@test -x bin/escalator || { echo "bin/escalator is missing: run make build first, without sudo" >&2; exit 1; }
	deploy/packages/extras bin/escalator bin/extras
	install -D -m 755 bin/escalator $(DESTDIR)$(PREFIX)/bin/escalator
	install -D -m 644 bin/extras/escalator.1 $(DESTDIR)$(PREFIX)/share/man/man1/escalator.1
	install -D -m 644 bin/extras/escalator.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/escalator
	install -D -m 644 bin/extras/_escalator $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_escalator
	install -D -m 644 bin/extras/escalator.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/escalator.fish
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/bin/escalator|$(PREFIX)/bin/escalator|' deploy/systemd/escalator.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/escalator.service
	install -D -m 644 deploy/systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/escalator.conf
	install -D -m 644 deploy/systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/escalator.conf
	test -e $(DESTDIR)/etc/escalator/escalator.env || install -D -m 640 deploy/escalator.env $(DESTDIR)/etc/escalator/escalator.env
	test -e $(DESTDIR)/etc/escalator/rules/rules.yaml || install -D -m 644 rules.yaml $(DESTDIR)/etc/escalator/rules/rules.yaml

kit: ## what is under deploy/: manifests, packages, unit, image, each tried without a container engine; as root
	@.ci/parts kit
	go vet -C tools/kit ./...
	go test -C tools/kit -count=1 -timeout 8m ./...

release-check: ## the release as goreleaser makes it, into dist/, without publishing; builds goreleaser once
	go tool -modfile=tools/release/go.mod goreleaser check
	go tool -modfile=tools/release/go.mod goreleaser release --snapshot --clean

test: $(if $(WHOLE),parts) ## vet, then every test in random order, with the race detector where goroutines meet (PKG=)
	go vet -tags $(TAGS) $(PKG)
	@# -short: the models play a fifth of their random runs here, where each step costs five times as much. `make race` plays all.
	go test -tags $(TAGS) -race -shuffle=on -count=1 -timeout 10m $(if $(WHOLE),-short -p 3 $$(go list ./... | grep -vE '$(UNRACED)'),$(PKG))
	@# The tests of the binary mostly wait for processes, so they begin first, beside two packages that compute.
	$(if $(WHOLE),go test -tags $(TAGS) -shuffle=on -count=1 -timeout 10m -p 3 -parallel 4 ./handlers/e2e ./handlers/browser ./handlers/cli ./rules/...)
	$(if $(WHOLE),go test -tags $(TAGS) -race -count=1 -timeout 5m -run 'AtOnce|Follow|Demo|Stalled' ./handlers/cli ./rules/...)
	$(if $(WHOLE),go vet -C tools/bench -tags $(TAGS) ./...)
	$(if $(WHOLE),go test -C tools/bench -tags $(TAGS) -shuffle=on -count=1 -timeout 5m ./...)
	@# Under the race detector allocations and memory say nothing: their budgets are held here.
	$(if $(WHOLE),go test -tags $(TAGS) -count=1 -run 'llocat|leavesTheMemory|takesNoNewMemory' ./bot ./bot/store/memory ./bot/store/journal ./handlers)

parts: ## what the tests need beside Go: named with the command that installs it; CI installs it
	@.ci/parts

race: $(if $(WHOLE),parts) ## the tests five times over under the race detector (PKG=)
	go test -tags $(TAGS) -race -shuffle=on -count=5 -timeout 20m $(PKG)

crash: ## kill -9 under load, 1,000 rounds (docs/reliability.md)
	CRASH_ROUNDS=1000 go test -tags $(TAGS) -count=1 -v -timeout 30m -run killedAtRandomMoments ./handlers/e2e

model: ## conversations told of by IM and Desk, with failures, kills and clock steps, against a plain model (MODEL_CHECKS=30000: about half an hour)
	go test -tags $(TAGS) -count=1 -timeout 90m -run Exchange_equals ./bot -rapid.checks=$(or $(MODEL_CHECKS),30000)

history: ## what 1 GiB of history costs (docs/performance.md)
	go test -tags $(TAGS) -count=1 -run '^$$' -bench History_large -benchtime 1x -timeout 10m ./bot/history

powerloss: ## 10,000 losses of power and kills at random moments, on a simulated disk (POWERLOSS_MOMENTS=)
	POWERLOSS_MOMENTS=$(or $(POWERLOSS_MOMENTS),10000) go test -tags $(TAGS) -count=1 -v -timeout 30m -run aLossOfPower ./bot/store/journal

suggest-figures: ## recall and precision on one half of labelled files before and after the suggestions of the other (DATA=folder)
	ESCALATOR_SUGGEST_DATA=$(abspath $(DATA)) go test -tags $(TAGS) -count=1 -v -run TestHalf ./rules/suggest

chaos: ## Desk's faults, absent agents and deaths mixed for 5 minutes (CHAOS_SEED=)
	CHAOS_TIME=5m go test -tags $(TAGS) -count=1 -v -timeout 30m -run throughChaos ./handlers/e2e

walk: ## faults of everything around the service, mixed for 10 minutes (WALK_SEED= WALK_TIME= WALK_ONLY=disk,log)
	WALK_TIME=$(or $(WALK_TIME),10m) go test -tags $(TAGS) -count=1 -v -timeout 30m -run throughAWalk ./handlers/e2e

overload: ## ten times the load it can answer, for 60 s
	OVERLOAD_TIME=60s go test -tags $(TAGS) -count=1 -v -timeout 30m -run underTenTimesItsLoad ./handlers/e2e

replicas: parts ## three replicas on a real Redis: copies, 200 deaths, a Redis that fails for 10 s, throughput
	REPLICA_SESSIONS=5000 REPLICA_ROUNDS=200 REDIS_PAUSE=10s REDIS_SESSIONS=2000 THROUGHPUT_TIME=10s \
		go test -tags $(TAGS) -count=1 -v -timeout 60m -run 'Replicas_(sameCallbacks|killedAtRandom|onARedisThatFails|throughput)' ./handlers/e2e

fuzz: ## every Fuzz target for FUZZTIME each (30s)
	@grep -rE --include='*_test.go' '^func Fuzz' . | sed -E 's|/[^/]+:func (Fuzz[A-Za-z0-9_]*).*| \1|' | sort | while read -r dir f; do \
		echo "== $$dir $$f $(FUZZTIME)"; go test -tags $(TAGS) -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null || exit 1; done

bench: build bin/bench ## the service beside a bare Gin handler, one table in under ten minutes (BENCHARGS='-busy -only callback -json new.json')
	bin/bench $(BENCHARGS)

curves: build bin/bench ## the same on a quiet and on a busy machine, the cost curves and the history, into docs/performance.md; about half an hour
	bin/bench -busy -docs docs/performance.md $(BENCHARGS)
	bin/bench -only curves,history -docs docs/performance.md $(BENCHARGS)

bin/bench: FORCE
	go build -C tools/bench -tags $(TAGS) -o ../../bin/bench .
FORCE:

microbench: ## the benchmarks of go test (BENCH=regexp COUNT=n PKG=)
	go test -tags $(TAGS) -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG)

compare: ## the microbenchmarks of another commit beside those of this tree (BASE=rev BENCH=regexp COUNT=n PKG=)
	@TAGS=$(TAGS) BASE='$(BASE)' BENCH='$(BENCH)' COUNT='$(COUNT)' PKG='$(PKG)' BENCHSTAT='$(TOOL) benchstat' .ci/compare

lint: ## golangci-lint as in .golangci.yml; builds it once
	$(TOOL) golangci-lint run $(PKG)
	$(if $(WHOLE),cd tools/bench && go tool -modfile=../go.mod golangci-lint run ./...)
	$(if $(WHOLE),cd tools/kit && go tool -modfile=../go.mod golangci-lint run ./...)

fmt: ## gofumpt and goimports over everything
	$(TOOL) golangci-lint fmt

vuln: ## known vulnerabilities in what is shipped and called (needs vuln.go.dev)
	@out=$$($(TOOL) govulncheck -tags $(TAGS) $(PKG) 2>&1); code=$$?; case "$$out" in \
		*"fetching vulnerabilities"*) echo "vuln: the database at vuln.go.dev cannot be reached: nothing was checked" >&2;; \
		*) echo "$$out";; esac; exit $$code

cover: ## coverage of all packages by all tests, in cover.html
	go test -tags $(TAGS) -count=1 -coverpkg=./... -coverprofile=cover.out ./... && go tool cover -html=cover.out -o cover.html && go tool cover -func=cover.out | tail -n 1

check: lint test ## what CI runs

docker: ## the image escalator:VERSION
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -t escalator:$(VERSION) .

clean: ## remove what the targets above made
	rm -rf bin dist cover.out cover.html
