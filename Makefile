# make run    build and start the server on http://127.0.0.1:8000, data in ./data
# make test   every check and every test; what CI runs
# make help   the rest

.PHONY: run web test format lint docs unit prices openapi bench bench-gateway demo clean help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## run       build and start the server with its dashboard
run:
	@tools/need-rust
	@tools/web
	cargo build --release --bin ai-cost-tracker
	target/release/ai-cost-tracker serve

## web       build the dashboard into web/dist, if it changed
web:
	@tools/web

## demo      fill ./data with 90 days of demo data (while the server does not run)
demo:
	cargo run --release --bin ai-cost-tracker -- demo

## test      every check and every test
test:
	@tools/test

## format    format the code
format:
	cargo fmt --all
	@tools/web install
	cd web && npm run -s format

## prices    make the price catalog anew from its pinned source
prices:
	cargo run -q -p prices-converter

## openapi   write the OpenAPI document that the code generates to docs/openapi.json
openapi:
	cargo run -q --bin ai-cost-tracker -- openapi > target/openapi.json
	mv target/openapi.json docs/openapi.json
	@tools/web install
	cd web && npm run -s generate
	@sdk/check install
	cd sdk/typescript && npm run -s generate

## bench     measure (see bench/README.md)
bench:
	cargo build --release --bin ai-cost-tracker --bin bench
	target/release/bench target/release/ai-cost-tracker $(RECORDS)

## bench-gateway  the gateway beside a direct call and LiteLLM's proxy (needs PyPI the first time)
bench-gateway:
	@bench/gateway/run

## conformance  price generated usages with other packages and compare (needs PyPI)
conformance:
	@tools/oracle/run

## clean     remove what was built
clean:
	cargo clean
