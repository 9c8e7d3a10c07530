#!/bin/sh
# Searches real trees for secrets, by `brokkr-publish plan`: a Debian root, the Python installation of this machine, and a
# node_modules of popular packages. Prints the findings by severity and rule, and compares the processor time with that of
# gunzipping and hashing the same layers. No finding may have severity high, because these trees contain no secrets.
#
#     benches/secrets_trees.sh
#
# Set BROKKR_PUBLISH to measure another binary than target/release/brokkr-publish, BENCH_DIR to work on another disk than
# that of the temporary directory, and BENCH_TREES to search the folders below another one instead. Needs 4 GiB there,
# root for debootstrap, the network, debootstrap, npm and python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}

[ -x "$binary" ] || { echo "secrets_trees.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }
work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

trees=${BENCH_TREES:-$work/trees}
if [ -z "${BENCH_TREES:-}" ]; then
    for program in debootstrap npm python3; do
        command -v "$program" >/dev/null || { echo "secrets_trees.sh: needs \`$program\`" >&2; exit 1; }
    done
    mkdir -p "$trees/node"
    debootstrap --variant=minbase --include=ca-certificates,openssl,python3,curl,openssh-client,perl,man-db \
        stable "$trees/debian" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    (cd "$trees/node" && npm install --no-audit --no-fund express react react-dom webpack typescript eslint jest axios \
        aws-sdk jsonwebtoken stripe next >"$work/log" 2>&1) || { tail -n 20 "$work/log" >&2; exit 1; }
    ln -s "$(python3 -c 'import sys; print(sys.base_prefix)')" "$trees/python"
fi
python3 "$here/secrets_trees.py" "$binary" "$work" "$trees"
