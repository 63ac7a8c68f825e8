# The tasks of the workspace; `just` alone lists them.

_default:
    @just --list --unsorted

# Build the server
build *args:
    cargo build --locked -p keyward {{ args }}

# Everything that CI checks; arguments filter the names of the tests
test *filter:
    scripts/test {{ filter }}

# Format the code
fmt:
    cargo fmt --all

# Lints, as CI has them
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Measure against the targets; `just bench --help` lists the options
bench *args:
    scripts/bench {{ args }}

# The server with a demonstration platform inside
demo:
    cargo run --locked --release -p keyward -- serve --demo

# A throw-away PostgreSQL for one command, for example: just postgres run cargo test
postgres *args:
    scripts/postgres {{ args }}

# Write the documents anew that are made from the code: docs/openapi.json and its neighbours
docs:
    UPDATE_DOCS=1 cargo test --locked -p keyward --test server documents

alias openapi := docs

# Licences, advisories and sources of the dependencies; needs cargo-deny
deny:
    cargo deny --locked check

# The crates' documentation
doc *args:
    cargo doc --workspace --no-deps --locked {{ args }}
