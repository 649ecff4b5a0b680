# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing secret gets out: not in results, output, the process list or temporary files, here or on a bastion."""

from __future__ import annotations

import base64
import json
import pathlib
import threading

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.tests.support.planted_secrets import (
    JWT,
    PLANTED,
    grantor_secrets,
)
from ansible_collections.securescan.kubernetes.tests.support.signed_runs import make_key


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


SINK_SECRETS = {
    name: f"Planted-4711-{name}-never-shown"
    for name in ("token", "password", "signing_secret", "secret_key", "session_token")
}
SINK = "https://127.0.0.1:9"  # nobody listens there, so that everything stays in the spool
SYSTEMS: list[dict[str, object]] = [
    {
        "system": "webhook",
        "url": SINK,
        "token": SINK_SECRETS["token"],
        "signing_secret": SINK_SECRETS["signing_secret"],
    },
    {"system": "elastic", "url": SINK, "username": "scanner", "password": SINK_SECRETS["password"]},
    {"system": "splunk", "url": SINK, "token": SINK_SECRETS["token"]},
    {
        "system": "s3",
        "url": SINK,
        "bucket": "runs",
        "region": "eu-west-1",
        "access_key": "AKIAEXAMPLE",
        "secret_key": SINK_SECRETS["secret_key"],
        "session_token": SINK_SECRETS["session_token"],
    },
]


def test_no_secret_is_seen_in_any_report_spool_or_message_of_a_push(playbooks, tmp_path):
    """All formats, and systems that are down, over a real scan; with the most lines that there are."""
    secrets = [*grantor_secrets(playbooks.kubeconfig), PLANTED]
    secrets += [form for secret in SINK_SECRETS.values() for form in forms(secret.encode())]
    passphrase = "Planted-4711-passphrase-never-shown"
    private, _public = make_key(passphrase=passphrase)
    secrets += [*forms(passphrase.encode()), private.splitlines()[1].encode()]
    with Watcher([tmp_path / "results"]) as watcher:
        run = playbooks.scan(
            "-vvvv",
            scan_fail_on="never",
            scan_report_formats=sorted(REPORTS),
            scan_private_key_content=private,
            scan_private_key_passphrase=passphrase,
            scan_push=[{**one, "retries": 0, "timeout": 2} for one in SYSTEMS],
        )
    assert "SCAN-" in run.output and "webhook, sample: 0 sent" in run.output, run.output[-3000:]
    places = {"output": run.output.encode(), **watcher.seen}
    places.update(
        (str(path), path.read_bytes()) for path in (tmp_path / "results").rglob("*") if path.is_file()
    )
    assert {report.file_name for report in REPORTS.values()} <= {path.name for path in run.run_dir.iterdir()}
    assert (run.run_dir / "evidence" / "run.intoto.json").is_file()
    assert any("/.push/" in name for name in places), "there is a spool"
    for name, content in places.items():
        assert not JWT.search(content), name
        assert not [secret for secret in secrets if secret in content], name


def forms(secret: bytes) -> list[bytes]:
    """The secret as it is, and as requests carry it."""
    return [
        secret,
        base64.b64encode(secret).rstrip(b"="),
        base64.b64encode(b"scanner:" + secret).rstrip(b"="),
    ]
