#!/bin/sh
# Times `brokkr-publish lint`, the whole process, over configurations of 20 and of 1,000 images. Figures and bars:
# docs/performance.md.
#
#     benches/lint.sh [RUNS]                   fifty runs by default
#
# Set BROKKR_PUBLISH to measure another binary than target/release/brokkr-publish. Needs python3, and uses hyperfine if you
# have it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${BROKKR_PUBLISH:-${CARGO_TARGET_DIR:-$here/../target}/release/brokkr-publish}
runs=${1:-50}

command -v python3 >/dev/null || { echo "lint.sh: needs \`python3\`" >&2; exit 1; }
[ -x "$binary" ] || { echo "lint.sh: no \`$binary\`: run \`cargo build --locked --release\` first" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/brokkr-publish-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for images in 20 1000; do
    python3 "$here/lint_measure.py" generate "$images" > "$work/$images.toml"
    "$binary" lint "$work/$images.toml" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    if command -v hyperfine >/dev/null; then
        hyperfine --shell=none --warmup 3 --runs "$runs" --style none --export-json "$work/$images.json" \
            "'$binary' lint '$work/$images.toml'" >/dev/null 2>&1
        python3 "$here/lint_measure.py" report "$images" "$work/$images.json"
    else
        python3 "$here/lint_measure.py" time "$images" "$runs" "$binary" lint "$work/$images.toml"
    fi
done
