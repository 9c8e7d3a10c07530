#!/bin/sh
# Installs brokkr-publish: downloads the archive of this platform, compares its checksum with the one written below, and puts the program
# into a folder. Needs curl or wget, tar, and sha256sum, shasum or openssl. Needs no root.
#
#   install.sh [--to DIR] [--version VERSION]
#
#   --to DIR             the folder of the program; the default is ~/.local/bin
#   --version VERSION    one of the versions in the list below; the default is the last one
#
# BROKKR_INSTALL_DOWNLOADS names a mirror of https://github.com/colliery-io/brokkr-publish/releases/download. The checksums stay the same.
set -eu

# Archives and their SHA-256. The release workflow fills the list; in the repository, packaging/pinned.txt is the list.
pinned='
'

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Everything is in a function, so that a download that breaks off runs nothing.
main() {
  to=${HOME:-}/.local/bin
  version=
  while [ "$#" -gt 0 ]; do
    case "$1" in
      --to | --version)
        [ "$#" -ge 2 ] || fail "$1 needs a value"
        if [ "$1" = --to ]; then to=$2; else version=${2#v}; fi
        shift 2
        ;;
      *) fail "unknown argument \`$1\`; the arguments are --to DIR and --version VERSION" ;;
    esac
  done
  case "$to" in
    /.local/bin) fail "HOME is not set; pass --to DIR" ;;
  esac

  case "$0" in
    */install.sh)
      list="${0%/*}/pinned.txt"
      if [ -z "$(printf %s "$pinned" | tr -d '\n')" ] && [ -r "$list" ]; then pinned=$(grep -v '^#' "$list" || true); fi
      ;;
  esac

  system=$(uname -s)
  cpu=$(uname -m)
  case "$cpu" in
    x86_64 | amd64) cpu=x86_64 ;;
    aarch64 | arm64) cpu=aarch64 ;;
    *) fail "there is no binary for the processor \`$cpu\`; build from source: cargo install --locked --git https://github.com/colliery-io/brokkr-publish" ;;
  esac
  ending=tar.gz
  program=brokkr-publish
  case "$system" in
    Linux) target=$cpu-unknown-linux-musl ;;
    Darwin) target=$cpu-apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*) target=$cpu-pc-windows-msvc ending=zip program=brokkr-publish.exe ;;
    *) fail "there is no binary for the system \`$system\`; build from source: cargo install --locked --git https://github.com/colliery-io/brokkr-publish" ;;
  esac

  if [ -z "$version" ]; then
    version=$(printf '%s\n' "$pinned" | sed -n "s/^[0-9a-f]*  brokkr-publish-\(.*\)-$target\.$ending\$/\1/p" | tail -n 1)
    [ -n "$version" ] || fail "no release for $target is pinned here; build from source: cargo install --locked --git https://github.com/colliery-io/brokkr-publish"
  fi
  archive=brokkr-publish-$version-$target.$ending
  sum=$(printf '%s\n' "$pinned" | sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" | tail -n 1)
  [ -n "$sum" ] || fail "there is no checksum of $archive here; a release's own install.sh has those of its version"

  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  base=${BROKKR_INSTALL_DOWNLOADS:-https://github.com/colliery-io/brokkr-publish/releases/download}
  download "$base/v$version/$archive" "$folder/$archive"

  found=$(sha256 "$folder/$archive")
  [ "$found" = "$sum" ] || fail "the checksum of $archive is $found, but $sum was expected; nothing was installed"

  case "$ending" in
    zip) unzip -q "$folder/$archive" -d "$folder" ;;
    *) tar -xzf "$folder/$archive" -C "$folder" ;;
  esac
  mkdir -p "$to"
  # A move within a folder replaces the program at once, also while it runs.
  cp "$folder/brokkr-publish-$version-$target/$program" "$to/.$program.$$"
  chmod 755 "$to/.$program.$$"
  mv -f "$to/.$program.$$" "$to/$program"
  printf 'Installed brokkr-publish %s: %s\n' "$version" "$to/$program"
  case ":${PATH:-}:" in
    *":$to:"*) ;;
    *) printf 'This folder is not in PATH. Add it: export PATH="%s:%s"\n' "$to" "\$PATH" ;;
  esac
}

download() {
  if has curl; then
    curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" || fail "cannot download $1"
  elif has wget; then
    wget -q -O "$2" "$1" || fail "cannot download $1"
  else
    fail "curl or wget is needed"
  fi
}

sha256() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "sha256sum, shasum or openssl is needed"
  fi
}

main "$@"
