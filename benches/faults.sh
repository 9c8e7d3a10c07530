#!/bin/sh
# Lets registries fail in every way at every request of an apply, kills applies, and runs many at once. Prints a table of what it
# found; exit code 1 if anything surprised. Figures and bars: docs/faults.md.
#
#     benches/faults.sh matrix [--quick] [--step N] [--jobs N] [--faults NAME,…] [--scenarios NAME,…]
#     benches/faults.sh kills [COUNT]          200 by default
#     benches/faults.sh races [PAIRS]          100 by default
#     benches/faults.sh concurrent [COUNT]     20 by default
#     benches/faults.sh soak [MINUTES]         15 by default
#     benches/faults.sh signed-kills [COUNT]   200 by default
#     benches/faults.sh signed-cost [IMAGES]   10 by default
#     benches/faults.sh all [--quick]          all of them
#
# Set BROKKR_PUBLISH to try another binary than target/release/brokkr-publish. Needs docker-registry, openssl and python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}

for program in docker-registry openssl python3; do
    command -v "$program" >/dev/null || { echo "faults.sh: needs \`$program\`" >&2; exit 1; }
done
[ -x "$binary" ] || { echo "faults.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }

work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

PYTHONDONTWRITEBYTECODE=1 python3 "$here/faults_measure.py" "$binary" "$work" "$@"
