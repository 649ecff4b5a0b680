# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.screen import Screen
from ansible_collections.securescan.kubernetes.plugins.module_utils.command.subcommand import Surroundings
from ansible_collections.securescan.kubernetes.tests.support.empty_cluster import (
    authority,
    client,
    server,
)


@pytest.fixture
def nobody() -> Surroundings:
    """A process without an environment, of which nobody reads what it says."""
    return Surroundings(Screen(io.StringIO(), io.StringIO()), {}, io.StringIO())
