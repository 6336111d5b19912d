# Linli 邻里. `make` alone prints what there is.
# Everything is installed below .venv/ and kept below .linli/; nothing else is touched.

PYTHON ?= python3
export PYTHONPYCACHEPREFIX := $(CURDIR)/.linli/pycache
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE
# pip asks for rustc's version, and rustup answers by writing into the home directory.
export RUSTUP_HOME := $(CURDIR)/.linli/rustup
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check bench audit journey lock migrations schema client

help: ## what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

# A stamp carries the lock's checksum, so that a second start costs one comparison.
# The lock names everything, so nothing is left to resolve; the pip that comes with an older Python takes twice as long.
define install
	@sum=$$($(PYTHON) -c "import hashlib,sys;print(hashlib.sha256(open(sys.argv[1],'rb').read()).hexdigest())" $(1)); \
	if [ "$$(cat .venv/$(2) 2>/dev/null)" != "$$sum" ]; then \
	  test -x $(BIN)/python || $(PYTHON) -m venv --upgrade-deps .venv; \
	  $(BIN)/pip install -q --no-cache-dir --no-compile --require-hashes --no-deps -r $(1) && echo "$$sum" > .venv/$(2); \
	fi
endef

.PHONY: runtime develop
runtime:
	$(call install,locks/runtime.txt,runtime.stamp)

develop: runtime
	$(call install,locks/dev.txt,develop.stamp)

demo: runtime ## set up, load the demo compound, serve on 127.0.0.1:8000 (PORT= overrides)
	@exec $(BIN)/python -m api.cli demo

test: develop ## all tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: develop ## style, types, import rules, schema, migrations
	@$(BIN)/python -m tests.check

journey: develop ## play the day over HTTP against a private instance
	@$(BIN)/python -m tests.journeys

audit: develop ## the GraphQL-over-HTTP audits (needs Node)
	@$(BIN)/python -m tests.audit

bench: develop ## the figures, as ratios measured in one run
	@$(BIN)/python -m tests.bench

lock: develop ## make the lock files anew (UPGRADE=--upgrade for newer versions)
	@$(BIN)/uv pip compile -q $(UPGRADE) --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --group dev pyproject.toml -o locks/dev.txt
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 -c locks/dev.txt pyproject.toml -o locks/runtime.txt

schema: develop ## write schema.graphql anew
	@$(BIN)/python -m api.cli export-schema --write

client: develop ## build the mini-program for browsers, WeChat and Alipay (needs Node; LINLI_API= its server)
	@$(BIN)/python -m tests.miniprogram
