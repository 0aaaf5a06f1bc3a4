# The doors to everything; each does its own set-up. The work is in Scripts/.
# Environment: see the head of the script in question, and README.md for what the server reads.

.DEFAULT_GOAL := help
.PHONY: help run test build lint format docs-assets bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up, build and start the all-in-one server (SQLite, no configuration)
	@Scripts/run.sh

test: ## lint, build and run every suite over every adapter, on private PostgreSQL and RabbitMQ
	@Scripts/test.sh

build: ## build all executables for production (.build/release)
	@Scripts/check-toolchain.sh
	@Scripts/install-libraries.sh run
	swift build --configuration release

lint: ## check the format of Swift and the scripts
	@Scripts/lint.sh

format: ## rewrite Swift to the house format
	swift format --in-place --parallel --recursive Package.swift $(wildcard Sources Tests Benchmarks)

docs-assets: ## fetch Swagger UI for /docs (make run does it too)
	@Scripts/install-libraries.sh run
	@Scripts/fetch-swagger-ui.sh

bench: ## the end-to-end benchmark over PostgreSQL and RabbitMQ
	@Scripts/check-toolchain.sh
	@Scripts/install-libraries.sh bench
	@Benchmarks/run.sh

clean: ## remove what was built; data/ stays
	rm -rf .build
