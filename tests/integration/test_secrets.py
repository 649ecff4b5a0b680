# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret gets out: not in results, output, the process list or temporary files, here or on a bastion."""

from __future__ import annotations

import json
import pathlib
import threading

import pytest
from ansible_collections.securescan.kubernetes.tests.support.planted_secrets import (
    JWT,
    PLANTED,
    grantor_secrets,
)


class Watcher:
    """Reads, again and again while a scan runs, every command line of this machine and every file below some folders."""

    def __init__(self, folders: list[pathlib.Path]) -> None:
        self.seen: dict[str, bytes] = {}
        self._folders = folders
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.02):
            paths = [
                *pathlib.Path("/proc").glob("[0-9]*/cmdline"),
                *(path for folder in self._folders for path in folder.rglob("*") if path.is_file()),
            ]
            for path in paths:
                try:
                    content = path.read_bytes()
                except OSError:
                    continue
                self.seen[f"{path} {len(content)}"] = content


@pytest.mark.parametrize("connection", ["local", "bastion"])
def test_no_secret_is_seen_anywhere(playbooks, cluster, tmp_path, connection):
    legacy = json.loads(
        cluster.kubectl("get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=legacy", "-o", "json")
    )
    assert PLANTED in json.dumps(legacy).encode(), (
        "the sample workload plants a secret in an environment variable"
    )
    secrets = [*grantor_secrets(playbooks.kubeconfig), PLANTED]
    local, remote = tmp_path / "local-tmp", tmp_path / "remote-tmp"
    local.mkdir()
    with Watcher([local, remote]) as watcher:
        run = playbooks.scan(
            "-vvvv", ansible_connection=connection, ansible_remote_tmp=str(remote), scan_fail_on="never"
        )
    assert run.status == 0, run.output[-3000:]
    places = {"output": run.output.encode(), **watcher.seen}
    places.update((str(path), path.read_bytes()) for path in run.run_dir.rglob("*") if path.is_file())
    assert len(places) > 20
    if connection == "local":  # elsewhere nobody sees lines of a module
        assert "grantor GET /api/v1/namespaces/shop/pods -> 200 in " in run.output
        assert "scanner exec into shop/" in run.output
    for name, content in places.items():
        assert not JWT.search(content), name
        assert not [secret for secret in secrets if secret in content], name
