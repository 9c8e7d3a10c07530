#!/usr/bin/env bash
# Builds images with docker, and publishes them from the Docker Engine with brokkr-publish. `-h` prints the options.
set -euo pipefail

usage() {
  cat <<'END'
Builds images with docker, and publishes them from the Docker Engine with brokkr-publish.

usage: scripts/tag-and-push.sh [OPTIONS] IMAGE[=DOCKERFILE]… [-- OPTIONS OF DOCKER BUILD…]

IMAGE is a name in publish.toml: brokkr-broker for [images.brokkr-broker]. Without DOCKERFILE, docker builds it from the first of
docker/Dockerfile.broker, docker/Dockerfile.brokkr-broker and Dockerfile that exists in the build context. publish.toml decides
in which registries images are published, which tags they get and whether those may move. The image is for one platform: the one
that docker builds for.

build
  --context DIR        the build context (default: the folder of publish.toml)
  --platform PLATFORM  build for this platform, such as linux/arm64
  --no-build           publish IMAGE:tag-and-push, which the last run left in the engine

publish
  --tag TAG            only this tag, which may move: for a test push. Without this option, publish.toml decides the tags, for the
                       commit that is checked out or for the next three options
  --ref REF            as if you had pushed this: refs/tags/v1.2.3, refs/heads/main
  --pr NUMBER          as if this were a build of the pull request
  --sha COMMIT         the commit, if it is not the one that is checked out
  --registry HOST[/NAMESPACE]
                       publish only to this registry: localhost:5000

  --dry-run            build, and show the plan; publish nothing
  --yes                do not ask before publishing
  --config FILE        the file (default: publish.toml at the top of the repository)
  -h, --help           this text

The program is brokkr-publish, or the one that BROKKR_PUBLISH names; the engine is the one that docker uses (DOCKER_HOST, docker context).

examples
  scripts/tag-and-push.sh --tag test brokkr-broker                     a test push of one image
  scripts/tag-and-push.sh --dry-run --ref refs/tags/v1.2.3 brokkr-broker brokkr-agent
  scripts/tag-and-push.sh --registry localhost:5000 --tag test brokkr-broker=docker/Dockerfile.broker -- --build-arg DEBUG=1
END
}

say() { printf '%s\n' "tag-and-push: $*" >&2; }
fail() {
  say "$*"
  say "run \`scripts/tag-and-push.sh -h\` for the options"
  exit 1
}

images=() context='' platform='' build=yes tag='' registry='' dry_run=no config='' context_flags=() yes=()
value() { [ "$#" -ge 2 ] && [ -n "$2" ] || fail "$1 needs a value"; }
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    --context) value "$@" && context=$2 && shift ;;
    --platform) value "$@" && platform=$2 && shift ;;
    --no-build) build=no ;;
    --tag) value "$@" && tag=$2 && shift ;;
    --ref | --pr | --sha) value "$@" && context_flags+=("$1" "$2") && shift ;;
    --registry) value "$@" && registry=$2 && shift ;;
    --dry-run) dry_run=yes ;;
    --yes) yes=(--auto-approve) ;;
    --config) value "$@" && config=$2 && shift ;;
    --)
      shift
      break
      ;;
    -*) fail "$1 is not an option" ;;
    *) images+=("$1") ;;
  esac
  shift
done
# The remaining arguments are for docker build.

[ "${#images[@]}" -gt 0 ] || fail "no image was named"
if [ -z "$config" ]; then
  top=$(git rev-parse --show-toplevel 2>/dev/null || pwd)
  config=$top/publish.toml
fi
[ -f "$config" ] || fail "$config does not exist; --config names another file"
[ -n "$context" ] || context=$(dirname "$config")
[ -d "$context" ] || fail "$context is not a folder"
case "$tag" in
  [._-]* | *[!A-Za-z0-9._-]*) fail "$tag is not a tag: expected letters, digits, dots, dashes and underscores" ;;
esac
program=${BROKKR_PUBLISH:-brokkr-publish}
for needed in docker "$program"; do
  command -v "$needed" >/dev/null || fail "$needed is not installed, or not in PATH"
done

# Prints the first Dockerfile that exists for an image.
dockerfile() {
  local name=$1 candidate
  for candidate in "docker/Dockerfile.${name#brokkr-}" "docker/Dockerfile.$name" Dockerfile; do
    if [ -f "$context/$candidate" ]; then
      printf '%s\n' "$context/$candidate"
      return
    fi
  done
  fail "there is no Dockerfile for $name in $context; name it: $name=DOCKERFILE"
}

# The images that the file declares. Any other name would create a new repository. The git tag is made up, so git is not asked for it.
declared=$(GIT_DIR=/dev/null "$program" tags --config "$config" --ref refs/tags/v0.0.0 --color never | sed -n 's/^\([^ .][^ ]*\).*/\1/p')

settings=() targets=()
for entry in "${images[@]}"; do
  name=${entry%%=*} local_name=${entry%%=*}:tag-and-push
  case "$name" in
    '' | *[!a-z0-9._-]*) fail "$name is not the name of an image: expected letters in lower case, digits, dots and dashes" ;;
  esac
  grep -qxF -- "$name" <<<"$declared" || fail "$config declares no image $name: it has $(tr '\n' ' ' <<<"$declared")"
  if [ "$build" = yes ]; then
    if [ "$entry" = "$name" ]; then file=$(dockerfile "$name"); else file=${entry#*=}; fi
    [ -f "$file" ] || fail "$file does not exist"
    say "building $name from $file"
    docker build --file "$file" --tag "$local_name" ${platform:+--platform "$platform"} "$@" "$context" >&2
  fi
  # Publish the platform that docker built, which may differ from the one that was asked for.
  built=$(docker image inspect --format '{{.Os}}/{{.Architecture}}{{if .Variant}}/{{.Variant}}{{end}}' "$local_name")
  key="images.\"$name\""
  settings+=(--set "$key.source=docker-daemon:$local_name" --set "$key.platforms=[\"$built\"]")
  targets+=(--target "images.$name")
  if [ -n "$registry" ]; then settings+=(--set "$key.registries=[\"tag-and-push\"]"); fi
  if [ -n "$tag" ]; then settings+=(--set "$key.tags=[\"tag-and-push\"]"); fi
done
if [ -n "$registry" ]; then settings+=(--set "registries.tag-and-push.url=$registry"); fi
if [ -n "$tag" ]; then
  settings+=(
    --set 'tags.tag-and-push.on=manual'
    --set "tags.tag-and-push.template=\"$tag\""
    --set 'tags.tag-and-push.mutability=mutable'
  )
  context_flags+=(--event manual)
fi

if [ "$dry_run" = yes ]; then
  command=(plan)
else
  command=(apply "${yes[@]+"${yes[@]}"}")
fi
exec "$program" "${command[@]}" --config "$config" "${settings[@]}" "${targets[@]}" \
  "${context_flags[@]+"${context_flags[@]}"}"
