# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cluster has a folder of its own, whatever it is called, and no folder leads out of the output folder."""

from __future__ import annotations

import itertools
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import cluster_folder

SAFE = ["prod", "prod-eu", "prod_eu", "api.prod-eu.example.com", "10.0.0.1", "7", "a" * 100]
UNSAFE = [
    "",
    ".",
    "..",
    "...",
    ".hidden",
    "-x",
    "_x",
    "prod.",
    "Prod",
    "PROD",
    "pROD",
    "a/b",
    "a//b",
    "/etc",
    "../../etc",
    "a\\b",
    "prod eu",
    "prod\n",
    "prod\x00",
    "pröd",
    "pro\u0308d",
    "集群",
    "latest",
    "prod~1",
    "a" * 101,
    "a" * 300,
    "a" * 299 + "b",
    "\ud800",
    "[fe80::1]:6443",
]


@pytest.mark.parametrize("name", SAFE)
def test_a_name_that_is_a_safe_folder_name_stays_as_it_is(name: str) -> None:
    assert cluster_folder("/results", name) == pathlib.Path("/results") / name


@pytest.mark.parametrize("name", UNSAFE)
def test_any_other_name_becomes_a_readable_one_with_a_hash(name: str, tmp_path: pathlib.Path) -> None:
    folder = cluster_folder(str(tmp_path), name)
    readable, _tilde, digest = folder.name.partition("~")
    assert readable and len(digest) == 16
    assert folder.parent == tmp_path and folder.resolve().parent == tmp_path.resolve()
    assert len(folder.name) <= 120
    folder.mkdir()
    assert cluster_folder(str(tmp_path), name) == folder, "the same each time"


def test_two_clusters_never_share_a_folder_even_where_case_does_not_count() -> None:
    folders = {name: cluster_folder("/results", name).name.lower() for name in SAFE + UNSAFE}
    for one, other in itertools.combinations(folders, 2):
        assert folders[one] != folders[other], (one, other)
    assert folders["a/b"].startswith("a-b~") and folders["Prod"].startswith("prod~")
