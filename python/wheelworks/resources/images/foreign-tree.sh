#!/bin/sh
# Unpacks Debian packages of another architecture, with all they depend on, below a folder:
# foreign-tree.sh ARCHITECTURE FOLDER PACKAGE...
# Nothing is installed or configured, so that nothing has to run under an emulator (minutes instead of half an hour).
set -eu
here=$(dirname "$0")
architecture=$1 tree=$2
shift 2
state=$(mktemp -d)
mkdir -p "$state/lists/partial" "$state/archives/partial" "$tree"
: > "$state/status"

foreign() {
    apt-get -q -y -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" \
        -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status" -o "Dir::Cache::archives=$state/archives" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root \
        -o APT::Install-Recommends=false -o APT::Update::Error-Mode=any -o Dpkg::Use-Pty=0 "$@"
}

if [ -n "${MIRROR:-}" ]; then
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    rm -f /etc/apt/sources.list.d/debian.sources
    echo "deb $MIRROR $suite main" > /etc/apt/sources.list
fi
# A mirror that is kept as it was on some day answers with a Release file that has expired.
foreign update || foreign -o Acquire::Check-Valid-Until=false update
foreign --download-only install base-files base-passwd bash coreutils dash debianutils diffutils findutils grep gzip \
    hostname libc-bin mawk media-types netbase sed tar tzdata ca-certificates "$@"
# base-files comes first: it has the links of the merged /usr.
for package in "$state"/archives/base-files_*.deb "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$tree" --keep-directory-symlink --exclude './usr/share/doc/*' \
        --exclude './usr/share/info/*' --exclude './usr/share/locale/*' --exclude './usr/share/man/*'
done
rm -rf "$state"
# What the packages' scripts would have made.
cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
for name in cc:gcc c++:g++ which:which.debianutils awk:mawk; do
    [ ! -e "$tree/usr/bin/${name#*:}" ] || ln -sf "${name#*:}" "$tree/usr/bin/${name%%:*}"
done
mkdir -p "$tree/etc/ssl/certs" "$tree/tmp"
chmod 1777 "$tree/tmp"
cp "$here/ca.crt" "$tree/etc/ssl/certs/ca-certificates.crt"
# In this architecture, because under an emulator each import would compile its module anew. The code is the same.
for version in 3.13 3.14; do
    "python$version" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$tree" "$tree/usr/lib/python$version"
done
