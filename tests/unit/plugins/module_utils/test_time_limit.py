# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
import time

from ansible_collections.securescan.kubernetes.plugins.module_utils.time_limit import TimeLimit


def test_it_is_set_by_its_time() -> None:
    long = TimeLimit(600.0)
    assert not long.is_set() and not long.has_passed
    limit = TimeLimit(0.05)
    begun = time.monotonic()
    assert limit.wait(60)
    assert time.monotonic() - begun < 30
    assert limit.is_set() and limit.has_passed and limit.remaining() == 0


def test_it_is_set_by_its_parent_and_that_is_not_its_time() -> None:
    parent = threading.Event()
    limit = TimeLimit(0.0, parent)
    assert limit.has_passed
    parent.set()
    assert limit.is_set() and limit.wait() and not limit.has_passed


def test_it_can_be_set_itself_and_without_a_time_nothing_else_sets_it() -> None:
    limit = TimeLimit(None)
    assert not limit.wait(0.01) and limit.remaining() is None and not limit.has_passed
    limit.set()
    assert limit.wait() and not limit.has_passed


def test_clean_up_has_its_own_time_after_it_whatever_the_parent_does() -> None:
    parent = threading.Event()
    parent.set()
    left = TimeLimit(100.0, parent).with_grace(30.0).remaining()
    assert left is not None and 110 < left <= 130
    late = TimeLimit(0.0).with_grace(30.0)
    assert not late.is_set() and 10 < (late.remaining() or 0) <= 30
    assert TimeLimit(None, parent).with_grace(30.0).remaining() is None
