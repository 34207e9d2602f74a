# Two commands on a machine with Python ≥ 3.11, pip and make: `make demo` and `make test`.
# Each sets up what it needs first, in .venv, and does so again only when the locked versions changed.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	command -v $$name >/dev/null 2>&1 && echo $$name && break; done)
BOOTSTRAP = $(or $(PYTHON),$(error No Python was found on PATH; Depesche needs Python 3.11 or newer)) tools/bootstrap.py
export PYTHON
ARGS ?=

.PHONY: help setup demo test check bench lock messages

help:
	@echo "make demo      the tracker, its worker and a mail catcher on this machine, with sample data"
	@echo "make test      every test, the servers they need included (as root they are installed)"
	@echo "make check     format, lint, types, import contracts, translations"
	@echo "make bench     throughput beside other programs"
	@echo "make setup     only the virtual environment .venv"
	@echo "make messages  bring the message catalogues up to date with the sources"
	@echo "make lock      resolve the dependencies again (ARGS=--upgrade: newest versions)"

setup:
	@$(BOOTSTRAP) setup

demo:
	@$(BOOTSTRAP) run depesche demo $(ARGS)

test:
	@$(BOOTSTRAP) dev python -m tools.run_tests $(ARGS)

check:
	@$(BOOTSTRAP) dev python -m tools.run_checks $(ARGS)

bench:
	@$(BOOTSTRAP) dev python -m tools.run_bench $(ARGS)

messages:
	@$(BOOTSTRAP) dev python tools/messages.py update

lock:
	@$(PYTHON) -m tools.lock $(ARGS)
