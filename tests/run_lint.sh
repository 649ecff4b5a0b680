#!/usr/bin/env bash
# Every linter, over the collection where Ansible finds it; goes on after a failure so that one run shows all.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
environment=$("$python" tests/environment/python_environment.py) || exit 1
tree=$("$python" tests/environment/collection_tree.py) || exit 1
export ANSIBLE_COLLECTIONS_PATH=${tree%/ansible_collections/*}
export PATH=$environment/bin:$PATH
status=0
check() {
    printf '==> %s\n' "$1"
    shift
    "$@" || { status=1; printf '==> FAILED: %s\n' "$1"; }
}
cd "$tree" || exit 1
engine() {
    cd "$ANSIBLE_COLLECTIONS_PATH" && MYPYPATH=. mypy --no-error-summary --config-file "$tree/pyproject.toml" \
        --cache-dir "$tree/../../../../mypy" -p ansible_collections.securescan.kubernetes.plugins.module_utils
}
check "ruff" ruff check --no-cache --quiet .
check "mypy (the engine, strict)" engine
check "yamllint" yamllint --strict .
check "ansible-lint (production)" ansible-lint --offline -q
[ "$status" = 0 ] && echo "==> lint: clean"
exit "$status"
