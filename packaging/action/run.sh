#!/usr/bin/env bash
# Runs the command of the action. The program itself writes its outputs to GITHUB_OUTPUT and its report to GITHUB_STEP_SUMMARY.
#
#   COMMAND    the arguments; quotes group words, and nothing is expanded
set -euo pipefail

# The words of the command. xargs knows quotes and backslashes, and expands nothing: no variable, no pattern, no other command.
words=$(mktemp)
trap 'rm -f "$words"' EXIT
if ! printf '%s\n' "$COMMAND" | xargs printf '%s\0' >"$words"; then
  echo "::error title=brokkr-publish::The quotes of the input \`command\` do not match"
  exit 1
fi
arguments=()
while IFS= read -r -d '' word; do
  arguments+=("$word")
done <"$words"
if [ "${arguments[0]:-}" = brokkr-publish ]; then arguments=("${arguments[@]:1}"); fi

# An empty token is none: the program must not send it.
if [ -z "${GITHUB_TOKEN:-}" ]; then unset GITHUB_TOKEN; fi

code=0
brokkr-publish "${arguments[@]}" || code=$?
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
exit "$code"
