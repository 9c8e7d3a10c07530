#!/bin/sh
# Times `plan` of 1,000 tags that are all in place, against a registry that answers each request after 50 ms. Prints
# wall time, processor time and how many requests it took. Figures and bars: docs/performance.md.
#
#     benches/plan.sh [ROUNDS]                 three rounds by default
#
# Set BROKKR_PUBLISH to measure another binary than target/release/brokkr-publish. Needs python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}
[ -x "$binary" ] || { echo "plan.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp "$here/../examples/quickstart/image.tar" "$work/image.tar"
python3 "$here/plan_measure.py" "$binary" "$work" "${1:-3}"
