# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sink cannot do without is asked for by name, and taken from nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.openreports import OPENREPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.sinks.s3 import S3_SINK
from ansible_collections.securescan.kubernetes.tests.support.sink_items import make_sink

SCANS = {"K8S_AUTH_HOST": "https://127.0.0.1:6443", "K8S_AUTH_API_KEY": "token-of-the-scans"}


@pytest.mark.parametrize("given", [{}, {"url": "https://127.0.0.1:6443"}])
def test_reports_in_the_cluster_are_never_written_by_the_credential_of_scans(given: dict[str, Any]) -> None:
    with pytest.raises(ScanError, match="an identity of their own") as caught:
        make_sink(OPENREPORTS, environ=SCANS, **given)
    assert caught.value.reason == "bad_option"
    sink = make_sink(OPENREPORTS, environ=SCANS, url="https://127.0.0.1:6443", token="token-of-reports")
    assert "token-of-reports" in sink.secrets and SCANS["K8S_AUTH_API_KEY"] not in sink.secrets
    sink.close()


def test_a_bucket_is_asked_for_by_name() -> None:
    with pytest.raises(ScanError, match="bucket is needed for this system"):
        make_sink(S3_SINK)
