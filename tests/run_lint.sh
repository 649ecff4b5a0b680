#!/usr/bin/env bash
# Every linter, over the collection where Ansible finds it (call it by in_collection.sh); one run shows all findings.
#
#     run_lint.sh [--quick]      --quick: format, ruff and types only
set -uo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# One check beside others, as many as there are processors; what it says is shown when it ends.
check() {
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
        wait -n
    done
    run_check "$@" &
}
run_check() {
    local name=$1 began=$SECONDS failed="" said
    shift
    if ! said=$("$@" 2>&1); then
        failed="FAILED: "
        touch "$folder/failed"
    fi
    printf '%s==> %s%s (%d s)\n' "${said:+$said$'\n'}" "$failed" "$name" "$((SECONDS - began))"
}

# the longest first
if [ "${1:-}" != --quick ]; then
    check "ansible-test sanity (the quick part, ansible-core 2.19)" python tests/quality/sanity.py --quick 2.19
    # one after the other: the importer runs ansible-lint, too, and each takes away the doubles of modules (mock_modules) at its end
    check "galaxy-importer, ansible-lint (production)" sh -c 'python tests/quality/importer.py && ansible-lint --offline -q'
    check "ansible-test units (those of reports and filters)" python tests/quality/units.py --quiet \
        tests/unit/plugins/filter/ tests/unit/plugins/module_utils/reports/
    check "antsibull-docs" antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
    check "yamllint" yamllint --strict .
    check "antsibull-changelog" antsibull-changelog lint
fi
check "mypy (the engine, strict)" env --chdir "$ANSIBLE_COLLECTIONS_PATH" MYPYPATH=. \
    mypy --no-error-summary --config-file "$PWD/pyproject.toml" --cache-dir ../mypy \
    -p ansible_collections.securescan.kubernetes.plugins.module_utils
check "ruff format" ruff format --no-cache --quiet --check .
check "ruff" ruff check --no-cache --quiet .
wait
[ -e "$folder/failed" ] && exit 1
echo "==> lint: clean"
