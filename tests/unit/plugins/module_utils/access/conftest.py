# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of an access; and the approaches, which say what rights an access can hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import (
    AccessPlan,
    Grant,
    PodRef,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    registry,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.fake_api_server.certificates import Authority
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer


@pytest.fixture
def plan() -> AccessPlan:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    pods = (PodRef("api-1", "uid-1"), PodRef("api-2", "uid-2"))
    return AccessPlan(
        "run-1",
        "tests",
        now + timedelta(seconds=600),
        now + timedelta(seconds=300),
        (Grant("shop", pods), Grant("billing", pods)),
    )
