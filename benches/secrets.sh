#!/bin/sh
# Searches an image of real files for secrets, and compares the time with that of decompressing and hashing its layers.
# Figures and bars: docs/performance.md.
#
#     benches/secrets.sh [ROUNDS]              three rounds by default
#
# Set BROKKR_PUBLISH to measure another binary than target/release/brokkr-publish, BENCH_DIR to work on another disk than
# that of the temporary directory, and BENCH_MIB to take less than 1536 MiB of files. Needs python3 and gzip, and uses pigz and igzip if you have them.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}

for program in python3 gzip sha256sum; do
    command -v "$program" >/dev/null || { echo "secrets.sh: needs \`$program\`" >&2; exit 1; }
done
[ -x "$binary" ] || { echo "secrets.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }

work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python3 "$here/secrets_measure.py" "$binary" "$work" "${1:-3}" "${BENCH_MIB:-1536}"
