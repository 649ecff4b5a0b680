# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a scan of a cluster another one than before."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

pytest.importorskip("ansible", reason="action plugins belong to Ansible")

from ansible.errors import AnsibleError
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.fleet_terms import scan_terms


def terms(folder: pathlib.Path, **variables: Any) -> str:
    return scan_terms(
        {"scan_threshold": "t.yml", **variables}, lambda value: value, lambda name: str(folder / name)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"scan_profiles": ["other"]},
        {"scan_threshold": {"compliance": {"min": 90}}},
        {"scan_inputs": {"most": 3}},
        {"scan_namespaces": "shop"},
        {"scan_context": "another"},
    ],
)
def test_another_variable_makes_another_scan(tmp_path: pathlib.Path, changes: dict[str, Any]) -> None:
    assert terms(tmp_path) == terms(tmp_path) != terms(tmp_path, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"scan_deadline": 5},
        {"scan_concurrency": 2},
        {"scan_api_key": "k"},
        {"scan_inputs": {"password": "p"}},
    ],
)
def test_how_fast_and_with_which_secret_does_not(tmp_path: pathlib.Path, changes: dict[str, Any]) -> None:
    assert terms(tmp_path, scan_inputs={}) == terms(tmp_path, **{"scan_inputs": {}, **changes})


def test_the_content_of_files_and_folders_counts(tmp_path: pathlib.Path) -> None:
    found = {terms(tmp_path, scan_profiles=["own"])}
    (tmp_path / "t.yml").write_text("compliance: {min: 1}")
    found.add(terms(tmp_path, scan_profiles=["own"]))
    (tmp_path / "own" / "controls").mkdir(parents=True)
    (tmp_path / "own" / "controls" / "a.yml").write_text("a")
    found.add(terms(tmp_path, scan_profiles=["own"]))
    (tmp_path / "own" / "controls" / "a.yml").write_text("b")
    found.add(terms(tmp_path, scan_profiles=["own"]))
    assert len(found) == 4


def test_a_variable_that_cannot_be_made_out_is_left_to_the_scan() -> None:
    def fail(_value: Any) -> Any:
        raise AnsibleError("'nobody' is undefined")

    assert scan_terms({"scan_context": "{{ nobody }}"}, fail, str)
