#!/bin/sh
# Builds the standard library of each target from rust-src into the sysroot: build-std.sh TARGET...
# What is built is marked as the distribution's own, so that no build of a user has to pretend to be a nightly.
set -eu
sysroot=$(rustc --print sysroot)
version=$(rustc -vV | sed -n 's/^release: //p')
work=$(mktemp -d)
cd "$work"
cargo init -q --vcs none --lib --name empty
targets=""
for target in "$@"; do
    targets="$targets --target $target"
done
# Bitcode, for crates with lto = "fat". One call for all targets, for they compile side by side.
# shellcheck disable=SC2086
RUSTC_BOOTSTRAP=1 \
CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_DEBUG=0 \
RUSTFLAGS="-Cembed-bitcode=yes -Zforce-unstable-if-unmarked --remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$version --remap-path-prefix=$work=/build --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    cargo build --release -Zbuild-std=std,panic_abort,proc_macro $targets
for target in "$@"; do
    into="$sysroot/lib/rustlib/$target/lib"
    mkdir -p "$into"
    find "target/$target/release" -name 'lib*.rlib' ! -name 'libempty*' -exec cp -p {} "$into/" \;
    ls "$into"/libstd-*.rlib
done
rm -rf "$work"
