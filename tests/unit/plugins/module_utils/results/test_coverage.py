# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs looked at everything, so that what they did not find is gone."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.selection import selection_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.coverage import Coverage
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)

WHOLE = {"namespaces", "exclude_namespaces", "container_kinds", "finished_pods", "replicas"}


def coverage(**more: object) -> Coverage | None:
    builder = RunSummaryBuilder(
        run_id="run-1",
        started="2026-11-23T10:00:00Z",
        cluster="demo",
        selection={"namespaces": ["shop"], "container_kinds": ["container"], **more},
        profiles=[],
    )
    return Coverage.of(builder.finish("2026-11-23T10:01:00Z", 60.0))


@pytest.mark.parametrize("option", sorted({*selection_spec(), "of_a_later_version"} - WHOLE))
def test_an_option_that_can_leave_something_out_makes_nothing_gone(option: str) -> None:
    assert coverage(**{option: ["x"]}) is None
    assert coverage(**{option: []}) is not None


@pytest.mark.parametrize("option", sorted(WHOLE - {"namespaces"}))
def test_the_other_options_do_not(option: str) -> None:
    assert coverage(**{option: ["x"]}) is not None
