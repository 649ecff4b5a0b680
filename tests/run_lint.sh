#!/usr/bin/env bash
# Every linter, over the collection where Ansible finds it (call it by in_collection.sh); one run shows all findings.
set -uo pipefail
tree=$PWD
status=0
check() {
    printf '==> %s\n' "$1"
    if ! "${@:2}"; then
        status=1
        printf '==> FAILED: %s\n' "$1"
    fi
}
engine_types() (
    cd "$ANSIBLE_COLLECTIONS_PATH" || exit 1
    MYPYPATH=. mypy --no-error-summary --config-file "$tree/pyproject.toml" --cache-dir ../mypy \
        -p ansible_collections.securescan.kubernetes.plugins.module_utils
)
check "ruff" ruff check --no-cache --quiet .
check "mypy (the engine, strict)" engine_types
check "yamllint" yamllint --strict .
check "ansible-lint (production)" ansible-lint --offline -q
[ "$status" = 0 ] && echo "==> lint: clean"
exit "$status"
