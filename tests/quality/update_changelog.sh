#!/usr/bin/env bash
# CHANGELOG.md and changelogs/changelog.yaml of CHECKOUT for galaxy.yml's version, from fragments and new plugins
# (call it by in_collection.sh, which has Ansible find the collection).
set -euo pipefail
checkout=$1
antsibull-changelog release --reload-plugins --update-existing
cp CHANGELOG.md "$checkout/"
cp changelogs/changelog.yaml "$checkout/changelogs/"
