# Shortcuts for the commands in CONTRIBUTING.md. `just --list` shows them.

_default:
    @just --list --unsorted

# Watch a rollout in the lab; `just demo --bad` for one that is rolled back
demo *options:
    cargo run -- demo {{ options }}

# Serve the lab on loopback, at thirty times real time by default
lab *options="--speed 30":
    cargo run -- lab serve {{ options }}

# Install what the tests need and run them all
test:
    scripts/test

# Everything that must hold before a merge
ci:
    .ci/run

# rustfmt, clippy, and the linters of workflows
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    scripts/lint-workflows

# Format the Rust sources
fmt:
    cargo fmt --all

# Build the book from docs/ into target/book; needs mdbook
docs:
    mdbook build docs

# Rewrite what tests write: the JSON Schema, the tables of docs/actions.md, the snapshots
update:
    UPDATE_SCHEMA=1 cargo test -p cutover-config
    UPDATE_DOCS=1 cargo test --test action --test reference
    INSTA_UPDATE=always cargo test --workspace

# Try to break the promises with these seeds of the swarm, such as `just seeds 200..1200`
seeds range="0..100":
    cargo run --release -- lab swarm --seeds {{ range }}

# The fault sweep: fail the calls of a rollout in turn, such as `just sweep bad-canary:0/1`
sweep part="canary:0/7":
    CUTOVER_SWEEP={{ part }} cargo test --release --lib every_call -- --ignored --nocapture

# The tests that take long: a process killed at every event, Terraform in the lab
slow:
    cargo test --test kill_resume -- --ignored
    cargo test --test stack -- --ignored

# How many rollouts per second the lab rehearses, and where the time goes
bench:
    cargo run --release -- lab bench
