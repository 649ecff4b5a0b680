# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests are spread over two processes (make test): all that use the cluster in one, the unit tests beside them, each
file as a whole, since some end by comparing a page with what the tests before have seen.

Unit tests that run shells in containers of their own are marked `in_container`: they take the longest, and what they test
does not depend on the Python that runs them.
"""

from __future__ import annotations

from typing import Any

import pytest

_INTEGRATION = "tests/integration/"
# Integration tests that need no cluster.
_BESIDE_THE_CLUSTER = "test_python_versions.py"

# before anything of it is imported
pytest.register_assert_rewrite("ansible_collections.securescan.kubernetes.tests.support")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of pytest-xdist; its own marks for groups have no effect with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ClusterAndFiles(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::", 1)[0]
            if path.endswith(_BESIDE_THE_CLUSTER):
                return nodeid
            return "cluster" if path.startswith(_INTEGRATION) else path

    return ClusterAndFiles(config, log)


def pytest_configure(config: pytest.Config) -> None:
    # here, not in pyproject.toml, which ansible-test does not read
    config.addinivalue_line(
        "markers",
        "in_container: runs shells in a container of its own; does not depend on the Python that runs it",
    )
