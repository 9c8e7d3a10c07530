#!/usr/bin/env bash
# Puts the program of the action's commit into PATH: the release by its checksum in packaging/pinned.txt, or, as long as no release of
# this version is pinned, a build of exactly this commit. GitHub calls it through action.yml.
#
#   VERSION    a pinned version; the default is the version of this commit
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
own=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
version=${VERSION:-$own}
version=${version#v}
to=$RUNNER_TEMP/brokkr-publish-$version

if [ ! -x "$to/bin/brokkr-publish" ] && [ ! -x "$to/bin/brokkr-publish.exe" ]; then
  if grep -q "  brokkr-publish-$version-" "$root/packaging/pinned.txt"; then
    sh "$root/packaging/install.sh" --version "$version" --to "$to/bin"
  elif [ "$version" = "$own" ]; then
    echo "::notice title=brokkr-publish::No release of version $version is pinned at this commit. It is built from source, which takes minutes."
    cargo install --quiet --locked --path "$root" --root "$to"
  else
    echo "::error title=brokkr-publish::Version $version is not pinned in packaging/pinned.txt of the action's commit. Use a commit of the action that pins it."
    exit 1
  fi
fi
case "${RUNNER_OS:-}" in
  Windows) cygpath --windows "$to/bin" >>"$GITHUB_PATH" ;;
  *) printf '%s\n' "$to/bin" >>"$GITHUB_PATH" ;;
esac
