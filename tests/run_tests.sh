#!/usr/bin/env bash
# Runs pytest over the collection where Ansible finds it. Arguments go to pytest; without any, all tests run.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
environment=$("$python" tests/environment/python_environment.py)
tree=$("$python" tests/environment/collection_tree.py)
export ANSIBLE_COLLECTIONS_PATH=${tree%/ansible_collections/*}
export PYTHONPATH=$ANSIBLE_COLLECTIONS_PATH
export PATH=$environment/bin:$PATH
# one writer of byte code per tree: the copy must not fill with caches that the next copy would have to remove
export PYTHONDONTWRITEBYTECODE=1
cd "$tree"
exec "$environment/bin/python" -m pytest -p no:cacheprovider "$@"
