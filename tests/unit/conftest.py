# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of unit tests; pytest finds them by the names of this module."""

from __future__ import annotations

from ansible_collections.securescan.kubernetes.tests.support.container_fixtures import (
    make_container,
    program_store,
)
from ansible_collections.securescan.kubernetes.tests.support.fake_cluster import (
    authority,
    client,
    connection,
    server,
)
from ansible_collections.securescan.kubernetes.tests.support.https_server import https_server
from ansible_collections.securescan.kubernetes.tests.support.profile_fixtures import (
    as_facts,
    judge,
    load,
    load_tests,
    verdict,
)
