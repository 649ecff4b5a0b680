# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests are spread over processes (make test): each file as a whole, since some end by comparing a page with what the tests
before have seen; the longest files first. Each process has a cluster of its own, as tests count what is in the whole cluster. A
cluster that KUBECONFIG names is shared: then one process has all tests that use it.

Unit tests that run shells in containers of their own are marked `in_container`: they take the longest, and what they test
does not depend on the Python that runs them.
"""

from __future__ import annotations

import collections
import os
from typing import Any

import pytest

_INTEGRATION = "tests/integration/"
# Tests that take a minute each and depend on nothing that the others do.
_EACH_FOR_ITSELF = ("test_python_versions.py", "test_molecule.py")
# What takes long begins first, so that no process ends with it alone. Seconds, as `make test` prints them at its end.
_SECONDS = {
    "test_python_versions.py": 390,
    "test_interrupts.py": 178,
    "test_debug_together.py": 162,
    "test_faults_real.py": 154,
    "test_debug_obstacles.py": 118,
    "test_view_mounted.py": 117,
    "test_failure_words.py": 115,
    "test_debug_identities.py": 108,
    "test_fleet_run.py": 140,
    "test_store_postgresql.py": 90,
    "test_guard.py": 80,
    "test_molecule.py": 75,
    "test_health.py": 72,
    "test_examples.py": 74,
    "test_view_beside.py": 65,
    "test_sidecar_scan.py": 62,
    "test_parity.py": 59,
    "test_cluster_lifecycle.py": 59,
    "test_execution_environment.py": 55,
    "test_preflight_playbooks.py": 55,
    "test_installed_collection.py": 55,
    "test_scan_playbook.py": 55,
    "test_saf_agreement.py": 50,
    "test_guard_denials.py": 50,
    "test_report_page.py": 45,
    "test_image_scan.py": 40,
    "test_withheld_facts.py": 40,
    "test_access.py": 40,
    "test_access_sweep.py": 40,
    "test_access_obstacles.py": 40,
    "test_image_killed.py": 40,
    "test_benchmarks.py": 30,
    "test_government_formats.py": 25,
}
_LISTED_FILES = 15

# before anything of it is imported
pytest.register_assert_rewrite("ansible_collections.securescan.kubernetes.tests.support")


def _file_of(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


def _seconds(nodeid: str) -> int:
    path = _file_of(nodeid)
    return _SECONDS.get(path.rpartition("/")[2], 2 if path.startswith(_INTEGRATION) else 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The scheduler of pytest-xdist; its own marks for groups have no effect with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = _file_of(nodeid)
            if path.startswith(_INTEGRATION) and os.environ.get("KUBECONFIG"):
                return "the cluster that is given"
            return nodeid if path.endswith(_EACH_FOR_ITSELF) else path

    config.option.loadscopereorder = False  # it would sort by the number of tests
    return Files(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shard", default="1/1", metavar="K/N", help="the K-th of N parts of the test files")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: -_seconds(item.nodeid))
    number, parts = (int(part) for part in config.getoption("--shard").split("/"))
    files = list(dict.fromkeys(_file_of(item.nodeid) for item in items))
    chosen = set(files[number - 1 :: parts])
    config.hook.pytest_deselected(items=[item for item in items if _file_of(item.nodeid) not in chosen])
    items[:] = [item for item in items if _file_of(item.nodeid) in chosen]


class FileTimes:
    """How long each file's tests took, and how long each process had something to do."""

    def __init__(self) -> None:
        self.files: collections.Counter[str] = collections.Counter()
        self.processes: collections.Counter[str] = collections.Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.files[_file_of(report.nodeid)] += report.duration
        self.processes[getattr(report, "worker_id", "the only process")] += report.duration

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        total = sum(self.files.values())
        if total < 60:
            return
        terminalreporter.section("seconds by file")
        for path, seconds in self.files.most_common(_LISTED_FILES):
            terminalreporter.line(f"{seconds:6.0f}  {path}")
        others = sum(seconds for _path, seconds in self.files.most_common()[_LISTED_FILES:])
        terminalreporter.line(f"{others:6.0f}  {max(0, len(self.files) - _LISTED_FILES)} other files")
        for process, seconds in sorted(self.processes.items()):
            terminalreporter.line(f"{seconds:6.0f}  {process} in all")


def pytest_configure(config: pytest.Config) -> None:
    # here, not in pyproject.toml, which ansible-test does not read
    config.addinivalue_line(
        "markers",
        "in_container: runs shells in a container of its own; does not depend on the Python that runs it",
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(FileTimes())
