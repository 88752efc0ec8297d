#!/bin/sh
# Makes the root file system of a small Debian: debian-base.sh ARCHITECTURE SUITE MIRROR TAR_FILE
# With mmdebstrap (any user), else with debootstrap (root only). Foreign architectures need QEMU in binfmt_misc.
set -eu
architecture=$1 suite=$2 mirror=$3 tar_file=$4
excludes="doc info man locale"

with_mmdebstrap() {
    set -- "$@" --variant=minbase --include=ca-certificates "--architectures=$architecture"
    for name in $excludes; do
        set -- "$@" "--dpkgopt=path-exclude=/usr/share/$name/*"
    done
    mmdebstrap "$@" "$suite" "$tar_file" "$mirror"
}

with_debootstrap() {
    folder=$(mktemp -d "$tar_file.XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    # An older debootstrap does not know a new suite; all of them are set up like sid.
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    debootstrap --variant=minbase --include=ca-certificates "--arch=$architecture" "$suite" "$folder" "$mirror" "$script"
    for name in $excludes; do
        rm -rf "$folder/usr/share/$name"
    done
    rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/*
    tar -C "$folder" --numeric-owner --one-file-system -cf "$tar_file" .
}

if command -v mmdebstrap > /dev/null; then
    # A mirror that is kept as it was on some day answers with a Release file that has expired.
    with_mmdebstrap || with_mmdebstrap '--aptopt=Acquire::Check-Valid-Until "false"'
elif [ "$(id -u)" = 0 ] && command -v debootstrap > /dev/null; then
    with_debootstrap
else
    echo "neither mmdebstrap nor, as root, debootstrap is here" >&2
    exit 127
fi
