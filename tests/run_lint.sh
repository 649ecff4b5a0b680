#!/usr/bin/env bash
# Every linter, over the collection where Ansible finds it (call it by in_collection.sh); one run shows all findings.
set -uo pipefail
status=0
check() {
    printf '==> %s\n' "$1"
    if ! "${@:2}"; then
        status=1
        printf '==> FAILED: %s\n' "$1"
    fi
}
check "ruff" ruff check --no-cache --quiet .
check "mypy (the engine, strict)" env --chdir "$ANSIBLE_COLLECTIONS_PATH" MYPYPATH=. \
    mypy --no-error-summary --config-file "$PWD/pyproject.toml" --cache-dir ../mypy \
    -p ansible_collections.securescan.kubernetes.plugins.module_utils
check "yamllint" yamllint --strict .
check "ansible-lint (production)" ansible-lint --offline -q
check "antsibull-docs" antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self .
check "antsibull-changelog" antsibull-changelog lint
check "galaxy-importer" python tests/quality/importer.py
check "ansible-test units (those of reports and filters)" python tests/quality/units.py --quiet tests/unit/plugins/filter/ \
    tests/unit/plugins/module_utils/reports/
check "ansible-test sanity (the quick part, ansible-core 2.19)" python tests/quality/sanity.py --quick 2.19
[ "$status" = 0 ] && echo "==> lint: clean"
exit "$status"
