#!/bin/sh
# Prints, as JSON, what an image has: Rust, its standard libraries and the interpreters.
set -eu
list=""
add() { list="$list${list:+, }$1"; }

printf '{'
if command -v rustc > /dev/null && command -v cargo > /dev/null; then
    sysroot=$(rustc --print sysroot)
    printf '"rustc": "%s", ' "$(rustc -vV | sed -n 's/^release: //p')"
    printf '"cargo": "%s", ' "$(cargo -vV | sed -n 's/^release: //p')"
    printf '"rustc_path": "%s", "cargo_path": "%s", ' "$(command -v rustc)" "$(command -v cargo)"
    printf '"host": "%s", "sysroot": "%s", ' "$(rustc -vV | sed -n 's/^host: //p')" "$sysroot"
    printf '"toolchain": "%s", ' "${WHEELWORKS_RUST:-}"
    for folder in "$sysroot"/lib/rustlib/*/lib; do
        if ls "$folder"/libstd-*.rlib > /dev/null 2>&1; then
            add "\"$(basename "$(dirname "$folder")")\""
        fi
    done
    printf '"targets": [%s], ' "$list"
    list=""
fi
for minor in 9 10 11 12 13 14 15 16 17 18; do
    for spec in "3.$minor" "3.${minor}t"; do
        python=$(command -v "python$spec") && add "\"$spec\": \"$python\"" || true
    done
    if command -v pypy3 > /dev/null && pypy3 -c "import sys; sys.exit(sys.version_info[:2] != (3, $minor))"; then
        add "\"pp3$minor\": \"$(command -v pypy3)\""
    fi
done
printf '"pythons": {%s}}\n' "$list"
