# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sink for stores of objects takes of a run. A real store is in tests/integration/test_push_to_s3.py."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace

import pytest

pytest.importorskip("boto3", reason="the sink is over boto3")

from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.s3 import S3_SINK
from ansible_collections.securescan.kubernetes.tests.support.sample_run import write_sample_run
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink


def test_a_file_that_was_swapped_after_the_summary_was_read_is_not_the_runs(tmp_path: pathlib.Path) -> None:
    """A task has verified the run, and somebody puts other files there: the outbox refuses them by the digest."""
    run = write_sample_run(tmp_path)
    target = next(target for target in run.targets if target.hdf_sha256)
    for path in (target.hdf, "summary.json"):
        (pathlib.Path(run.folder) / path).write_text("{}", encoding="ascii")
    own = {"bucket": "plain", "access_key": "scanner-access", "secret_key": "scanner-secret-key"}
    sink = make_sink(S3_SINK, own, url="https://127.0.0.1:1")
    digests = {item.path: item.sha256 for item in sink.items(SimpleNamespace(run=run))}
    assert digests[target.hdf] == target.hdf_sha256 and digests["summary.json"] == run.sha256
