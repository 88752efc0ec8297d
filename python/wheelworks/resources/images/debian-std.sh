#!/bin/sh
# Adds the standard libraries of all other targets to Debian's Rust: the one of the other architecture from Debian,
# the rest built from rust-src. One layer, so that neither rust-src nor cargo's downloads stay in the image.
set -eu
here=$(dirname "$0")
case $(dpkg --print-architecture) in
    amd64) other=arm64 ;;
    arm64) other=amd64 ;;
    *) echo "no toolchain image for $(dpkg --print-architecture)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
dpkg --add-architecture "$other"
apt-get -q -o APT::Update::Error-Mode=any update \
    || apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Check-Valid-Until=false update
# Unpacked, not installed: as a package it would bring another architecture's LLVM.
cd "$work"
apt-get -q download "libstd-rust-dev:$other=$(dpkg-query -W -f '${Version}' libstd-rust-dev)"
# The metadata lies beside the libraries, which hold no more than a stub of it.
dpkg-deb --fsys-tarfile libstd-rust-dev_*.deb \
    | tar -x -C / --wildcards './usr/lib/rustlib/*.rlib' './usr/lib/rustlib/*.rmeta'
apt-get -q -y -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0 install rust-src
sh "$here/build-std.sh" x86_64-pc-windows-gnu x86_64-apple-darwin aarch64-apple-darwin \
    x86_64-unknown-linux-musl aarch64-unknown-linux-musl
apt-get -q -y -o Dpkg::Use-Pty=0 purge rust-src
# A library that rustc can't read would show only in somebody's build.
echo 'fn main() { println!("{}", 1); }' > check.rs
for folder in "$(rustc --print sysroot)"/lib/rustlib/*/lib; do
    rustc --emit metadata --target "$(basename "$(dirname "$folder")")" -o check.rmeta check.rs
done
dpkg --remove-architecture "$other"
rm -rf "$work" /root/.cargo /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
