# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs and programs of exec plugins that others can change or read: the operator is told, as kubectl does not."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import (
    TaskContext,
    connect_grantor,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

PLUGIN = """\
#!/bin/sh
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t0"}}'
"""


def write_kubeconfig(folder: pathlib.Path, mode: int, **user: Any) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    file = folder / "config"
    file.write_text(
        json.dumps(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": user or {"token": "t0"}}],
            }
        ),
        encoding="utf-8",
    )
    file.chmod(mode)
    return file


def with_plugin(folder: pathlib.Path, mode: int, command: str = "./plugin") -> pathlib.Path:
    return write_kubeconfig(
        folder,
        mode,
        exec={
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": command,
            "interactiveMode": "Never",
        },
    )


def write_plugin(folder: pathlib.Path, mode: int) -> pathlib.Path:
    program = folder / "plugin"
    program.write_text(PLUGIN, encoding="utf-8")
    program.chmod(mode)
    return program


def warnings_of(file: pathlib.Path, **environ: str) -> list[str]:
    """As the task shows them."""
    context = TaskContext(check_mode=False, environ=environ)
    connect_grantor(ConnectionOptions(kubeconfig=str(file)), context)
    return context.warnings


def test_a_kubeconfig_of_its_owner_alone_is_not_warned_of(tmp_path: pathlib.Path) -> None:
    assert warnings_of(write_kubeconfig(tmp_path / "a", 0o600)) == []
    file = with_plugin(tmp_path / "b", 0o600)
    write_plugin(file.parent, 0o755)
    assert warnings_of(file) == []


@pytest.mark.parametrize(
    ("row", "mode", "words"),
    [
        ("26-world-writable", 0o666, ("Every user of this machine can change", "kubectl takes it")),
        ("26-readable", 0o644, ("Other users can read", "the credential in it")),
        ("26-readable-by-group", 0o640, ("Other users can read",)),
    ],
)
def test_a_kubeconfig_that_others_can_change_or_read_is_warned_of(
    tmp_path: pathlib.Path, row: str, mode: int, words: tuple[str, ...]
) -> None:
    file = write_kubeconfig(tmp_path / "a", mode)
    (warning,) = warnings_of(file)
    assert all(word in warning for word in (*words, str(file), "chmod 600"))
    attack_ends_as(row, outcome="warned of, by the file's name")


def test_a_folder_in_which_others_can_put_another_file_is_warned_of(tmp_path: pathlib.Path) -> None:
    file = write_kubeconfig(tmp_path / "a", 0o600)
    file.parent.chmod(0o777)
    (warning,) = warnings_of(file)
    assert "Every user of this machine can change" in warning
    attack_ends_as("26-folder", outcome="warned of, by the file's name")
    file.parent.chmod(0o1777)  # as /tmp: nobody else can replace the file
    assert warnings_of(file) == []


def test_a_folder_further_up_and_a_link_on_the_way_are_looked_at(tmp_path: pathlib.Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    file = write_kubeconfig(above / "mine", 0o600)
    link = tmp_path / "link"
    link.symlink_to(file)
    assert warnings_of(file) == warnings_of(link) == []
    above.chmod(0o777)
    for path in (file, link):
        (warning,) = warnings_of(path)
        assert "Every user of this machine can change" in warning and str(path) in warning
    above.chmod(0o755)
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    other = open_folder / "link"
    other.symlink_to(file)
    assert warnings_of(other) == []
    open_folder.chmod(0o777)
    (warning,) = warnings_of(other)
    assert "Every user of this machine can change" in warning, "the link can be exchanged"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_or_of_a_group_that_writes_is_warned_of(tmp_path: pathlib.Path) -> None:
    file = write_kubeconfig(tmp_path / "a", 0o600)
    os.chown(file, 4711, 0)
    (warning,) = warnings_of(file)
    assert "The user 4711 can change" in warning
    os.chown(file, 0, 4712)
    file.chmod(0o660)
    (warning,) = warnings_of(file)
    assert "The group 4712 can change" in warning


def test_an_exec_plugin_of_a_loose_kubeconfig_is_warned_of_by_its_program(tmp_path: pathlib.Path) -> None:
    file = with_plugin(tmp_path / "a", 0o666)
    program = write_plugin(file.parent, 0o755)
    (warning,) = warnings_of(file)
    assert "names a program that this task runs as its own user" in warning
    assert str(program) in warning.replace("/./", "/") and "kubectl runs it without a word" in warning
    attack_ends_as("26-exec-plugin", outcome="warned of, by the file's name")


def test_a_program_of_an_exec_plugin_that_others_can_change_is_warned_of(tmp_path: pathlib.Path) -> None:
    file = with_plugin(tmp_path / "a", 0o600)
    write_plugin(file.parent, 0o777)
    (warning,) = warnings_of(file)
    assert "can change the program" in warning and "plugin" in warning
    attack_ends_as("26-plugin-program", outcome="warned of, by the file's name")
    folder = tmp_path / "bin"
    folder.mkdir()
    write_plugin(folder, 0o777)
    named = with_plugin(tmp_path / "b", 0o600, "plugin")
    (warning,) = warnings_of(named, PATH=f"{folder}:/bin")
    assert str(folder / "plugin") in warning, "a name is looked up in PATH"


def test_a_plugin_that_is_not_run_is_not_spoken_of(tmp_path: pathlib.Path) -> None:
    file = with_plugin(tmp_path / "a", 0o600)
    write_plugin(file.parent, 0o777)
    assert connect(ConnectionOptions(kubeconfig=str(file), api_key="t0"), {}).warnings == ()


def test_a_kubeconfig_that_is_given_as_its_content_has_no_mode() -> None:
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t0"}}],
    }
    assert connect(ConnectionOptions(kubeconfig=content), {}).warnings == ()
