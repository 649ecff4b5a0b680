# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors that are applied here mean what they mean to the API server."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.label_selectors import (
    all_hold,
    read_label_selectors,
)

LABELS = {"tier": "db", "app.kubernetes.io/name": "api", "empty": "", "in": "x"}


def holds(*selectors):
    return all_hold(read_label_selectors("some", selectors), LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "tier=db",
        "tier==db",
        "tier = db",
        " tier=db ",
        "tier!=web",
        "other!=web",
        "tier",
        "!other",
        "! other",
        "tier in (db,web)",
        "tier in ( db , web )",
        "tier notin (web)",
        "other notin (web)",
        "app.kubernetes.io/name=api,tier=db",
        "tier=db , !other",
        "empty=",
        "empty",
        "empty in ()",
        "in=x",
        "in in (x)",
        "tier in (db), app.kubernetes.io/name in (api, edge)",
    ],
)
def test_a_selector_that_fits_the_labels_holds(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "tier=web",
        "tier!=db",
        "other",
        "!tier",
        "tier in (web)",
        "other in (db)",
        "tier notin (db,web)",
        "tier=db,other",
        "other=",
        "Tier=db",
    ],
)
def test_what_does_not_hold(text):
    assert not holds(text)


def test_all_must_hold():
    assert holds() and holds("tier=db", "!other") and not holds("tier=db", "other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "tier=db,",
        ",tier=db",
        "tier=db,,in=x",
        "tier=db web",
        "tier in db",
        "tier in (db",
        "tier in",
        "tier>1",
        "tier=>",
        "-tier=db",
        "tier=-db",
        "tier=db-",
        "tier in (db, we b)",
        "a/b/c=d",
        "/tier=db",
        "tier=" + "x" * 64,
        "tier~db",
        "tier=db\n;",
        "x," * 600 + "x",
    ],
)
def test_what_is_not_understood_is_refused(text):
    with pytest.raises(ScanError) as caught:
        holds(text)
    assert caught.value.reason == "bad_option" and "some" in caught.value.tried
