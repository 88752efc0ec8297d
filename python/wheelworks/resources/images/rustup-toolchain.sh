#!/bin/sh
# Installs one of rustup's toolchains with the standard libraries of all targets: rustup-toolchain.sh TOOLCHAIN
set -eu
export RUSTUP_HOME=/opt/rust CARGO_HOME=/tmp/cargo
sh "$(dirname "$0")/install-packages.sh" rustup
rustup toolchain install --no-self-update --profile minimal \
    --target x86_64-unknown-linux-gnu --target aarch64-unknown-linux-gnu \
    --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl \
    --target x86_64-apple-darwin --target aarch64-apple-darwin --target x86_64-pc-windows-gnu "$1"
# The programs themselves, not rustup's: those would look for what a project's rust-toolchain.toml names.
for program in rustc rustdoc cargo; do
    ln -s "$(echo /opt/rust/toolchains/*/bin/$program)" "/usr/local/bin/$program"
done
apt-get -q -y -o Dpkg::Use-Pty=0 purge rustup
rm -rf /tmp/cargo /opt/rust/downloads /opt/rust/tmp /var/log/apt /var/log/dpkg.log
