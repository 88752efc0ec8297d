#!/bin/sh
# Installs Debian packages without their documentation: install-packages.sh PACKAGE...
# MIRROR, where set, replaces the sources of the base image.
set -eu
here=$(dirname "$0")
export DEBIAN_FRONTEND=noninteractive

trust_host() {
    [ ! -s "$here/ca.crt" ] || install -D -m 644 "$here/ca.crt" /etc/ssl/certs/ca-certificates.crt
}

if [ ! -e /etc/dpkg/dpkg.cfg.d/wheelworks ]; then
    # A build that breaks off is thrown away, so that nothing need be safe on the disk in between.
    { echo force-unsafe-io; printf 'path-exclude=/usr/share/%s/*\n' doc info man locale; } > /etc/dpkg/dpkg.cfg.d/wheelworks
fi
if [ -n "${MIRROR:-}" ]; then
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    rm -f /etc/apt/sources.list.d/debian.sources
    echo "deb $MIRROR $suite main" > /etc/apt/sources.list
fi
trust_host
# A mirror that is kept as it was on some day answers with a Release file that has expired.
apt-get -q -o APT::Update::Error-Mode=any update \
    || apt-get -q -o APT::Update::Error-Mode=any -o Acquire::Check-Valid-Until=false update
apt-get -q -y -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0 install "$@"
# The package ca-certificates has just written the file anew.
trust_host
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old
