#!/bin/sh
# Lays out what cibuildwheel expects: /opt/python/cp3N-cp3N for every interpreter of the image, auditwheel, uv.
set -eu
here=$(dirname "$0")
# With a pip that is here already: the environment of our own tools has none where the image was put together elsewhere.
install() {
    "$first/bin/pip" --python "$1/bin/python" install --quiet --no-cache-dir --disable-pip-version-check \
        --require-hashes -r "$here/$2.txt"
}

first=""
for minor in 9 10 11 12 13 14 15 16 17 18; do
    for thread in "" t; do
        python=$(command -v "python3.$minor$thread") || continue
        place=/opt/python/cp3$minor-cp3$minor$thread
        "$python" -m venv "$place"
        first=${first:-$place}
        install "$place" build
    done
done
if [ -z "$first" ]; then
    echo "the image has no Python that cibuildwheel could build with" >&2
    exit 1
fi
# cibuildwheel runs its own helpers with this one, whatever it builds for.
[ -e /opt/python/cp39-cp39 ] || ln -s "$first" /opt/python/cp39-cp39
for tool in auditwheel uv; do
    install /opt/wheelworks "$tool"
    ln -sf "/opt/wheelworks/bin/$tool" "/usr/local/bin/$tool"
done
