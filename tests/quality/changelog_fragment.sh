#!/usr/bin/env bash
# Asks for a changelog fragment where what is about to be committed, or the branch, changes what users get.
#
#     changelog_fragment.sh [BASE]      BASE: main
set -euo pipefail
cd "$(dirname "$0")/../.."
left=$(git merge-base "${1:-main}" HEAD)
changed=$(git diff --cached --name-only "$left")
grep -qE '^(plugins|roles|playbooks|profiles)/' <<<"$changed" || exit 0
grep -qE '^changelogs/fragments/' <<<"$changed" && exit 0
echo "what users get is changed, and changelogs/fragments/ has no line about it (docs/contributing.md)" >&2
exit 1
