#!/usr/bin/env bash
# Runs a command in the collection's copy, where Ansible and Python find it, with the test environment on PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
environment=$("$python" tests/environment/python_environment.py)
tree=$("$python" tests/environment/collection_tree.py)
export ANSIBLE_COLLECTIONS_PATH=${tree%/ansible_collections/*}
export PYTHONPATH=$ANSIBLE_COLLECTIONS_PATH
export PATH=$environment/bin:$PATH
# the copy must not fill with caches that the next copy would have to remove
export PYTHONDONTWRITEBYTECODE=1
cd "$tree"
exec "$@"
