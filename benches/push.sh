#!/bin/sh
# Pushes a 1 GiB image to a local docker-registry, by `brokkr-publish apply` and by `skopeo copy` in turn, and compares
# wall time, processor time and peak memory. Figures and bars: docs/performance.md.
#
#     benches/push.sh [ROUNDS]                 three rounds by default
#
# Set BROKKR_PUBLISH to measure another binary than target/release/brokkr-publish, and BENCH_DIR to work on another
# disk than that of the temporary directory. Needs 4 GiB there, docker-registry, skopeo and python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}

for program in docker-registry skopeo python3; do
    command -v "$program" >/dev/null || { echo "push.sh: needs \`$program\`" >&2; exit 1; }
done
[ -x "$binary" ] || { echo "push.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }

work=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# A separate process makes the image, so that the measuring process stays small: see measure() there.
python3 "$here/push_image.py" "$work/image"
python3 "$here/push_measure.py" "$binary" "$work" "${1:-3}"
