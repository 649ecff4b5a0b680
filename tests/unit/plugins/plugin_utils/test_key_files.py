# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that a task names: public ones are read on the controller, and no private one is sent on or shown."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

pytest.importorskip("ansible", reason="action plugins belong to Ansible")

from ansible_collections.securescan.kubernetes.plugins.action import (
    scan_push,
    scan_sign,
    scan_store,
    scan_threshold,
    scan_verify,
)
from ansible_collections.securescan.kubernetes.plugins.plugin_utils.scan_action import ScanAction
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import make_key
from ansible_collections.securescan.kubernetes.tests.unit.plugins.plugin_utils.test_scan_action import (
    Runner,
)

PRIVATE, PUBLIC = make_key()
SECRET = PRIVATE.splitlines()[1]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def write_key(folder: pathlib.Path, text: str, mode: int = 0o600) -> str:
    path = folder / "some.key"
    path.write_text(text, encoding="ascii")
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("option", ["trusted_keys", "public_key"])
@pytest.mark.parametrize("is_file", [False, True])
def test_a_private_key_in_place_of_a_public_one_is_not_sent_on(
    run: Runner, tmp_path: pathlib.Path, option: str, elsewhere: bool, is_file: bool
) -> None:
    key = write_key(tmp_path, PRIVATE) if is_file else PRIVATE
    given: dict[str, Any] = {option: [key] if option == "trusted_keys" else key, "sign_command": ["true"]}
    result = run(scan_sign.ActionModule, elsewhere=elsewhere, run_dir=str(tmp_path), **given)
    assert f"{option} holds a private key" in result["msg"]
    assert not run.sent and SECRET not in json.dumps(result)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_key_in_place_of_its_path_is_not_sent_on(
    run: Runner, tmp_path: pathlib.Path, elsewhere: bool
) -> None:
    result = run(scan_sign.ActionModule, elsewhere=elsewhere, run_dir=str(tmp_path), private_key_path=PRIVATE)
    assert "the path of a file is expected" in result["msg"]
    assert not run.sent and SECRET not in json.dumps(result)


def test_a_content_that_is_no_key_is_not_shown(run: Runner, tmp_path: pathlib.Path) -> None:
    """It is not taken for a path, which an error names."""
    result = run(scan_sign.ActionModule, run_dir=str(tmp_path), private_key_content=SECRET)
    assert "private_key_content is not a private key in PEM form" in result["msg"]
    assert SECRET not in json.dumps(result)


@pytest.mark.parametrize("action", [scan_push, scan_sign, scan_store, scan_threshold, scan_verify])
def test_trusted_keys_are_files_of_the_controller(run: Runner, tmp_path: pathlib.Path, action: Any) -> None:
    """Wherever the task runs, it gets their content."""
    key = write_key(tmp_path, PUBLIC, 0o644)
    plugin: type[ScanAction] = action.ActionModule
    given: dict[str, Any] = {
        scan_push: {"system": "webhook"},
        scan_store: {"store": "s.db", "run_dirs": ["x"]},
    }.get(action, {})
    if action is not scan_store:
        given["run_dir"] = "x"
    result = run(plugin, elsewhere=True, trusted_keys=[key], **given)
    assert not result.get("failed"), result
    assert run.sent[0][1]["trusted_keys"] == [PUBLIC]


@pytest.mark.parametrize(
    ("mode", "of_folder", "who"),
    [
        (0o644, 0o755, ""),
        (0o646, 0o755, "Every user of this machine"),
        (0o644, 0o757, "Every user of this machine"),
    ],
)
def test_a_trusted_key_that_others_can_change_is_warned_of(
    run: Runner, tmp_path: pathlib.Path, mode: int, of_folder: int, who: str
) -> None:
    """Who can put a key in its place signs whatever they like."""
    key = write_key(tmp_path, PUBLIC, mode)
    tmp_path.chmod(of_folder)
    result = run(scan_verify.ActionModule, elsewhere=True, run_dir="x", trusted_keys=[key, PUBLIC])
    said = result.get("warnings", [])
    assert [one.partition(" can change the trusted key ")[0] for one in said] == ([who] if who else [])
