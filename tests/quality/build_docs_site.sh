#!/usr/bin/env bash
# The documentation of modules, roles, playbooks and plugins as web pages (call it by in_collection.sh). FOLDER gets them.
set -euo pipefail
pages=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp tests/quality/docs_site/conf.py "$work/"
antsibull-docs collection --use-current --squash-hierarchy \
    --fail-on-error --dest-dir "$work" securescan.kubernetes
rm -rf "$pages"
sphinx-build -b html -q -W --keep-going "$work" "$pages"
echo "==> docs site: $pages/index.html"
