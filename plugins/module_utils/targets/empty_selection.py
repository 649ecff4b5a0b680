# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a selection found nothing (only then the cluster is asked, by a few small requests), and names that did
nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ScanError
from .criteria import Selection
from .selection_report import FINISHED, SelectionReport
from .workloads import ReadsObjects

# In how many namespaces, at most, we look whether they have pods at all.
_ASKED = 5
_NAMES_SHOWN = 5


def useless_names(selection: Selection, looked_at: SelectionReport) -> list[str]:
    """A warning for each option that has names (no patterns) which nothing has that was looked at: names of images, and
    those that were to be left out. Whoever misspells what is to be left out, scans it."""
    if looked_at.limit_reached or not looked_at.pods:
        return []
    unused: dict[str, list[str]] = {}
    for option, name in sorted(selection.watched - looked_at.used):
        unused.setdefault(option, []).append(selection.as_written(name))
    return [
        f"{option}: nothing that was looked at is {', '.join(names[:_NAMES_SHOWN])}"
        + (f" or one of {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "")
        for option, names in unused.items()
    ]


def no_targets(
    client: ReadsObjects, selection: Selection, looked_at: SelectionReport, missing: Sequence[str]
) -> ScanError:
    """The error for a selection without targets. `missing`: a sentence for each name that gave
    none."""
    narrow = [option for option, number in looked_at.left_out.items() if number and option != FINISHED]
    facts = [looked_at.summary_sentence(), *missing]
    selectors = list(selection.selectors_of_pods())
    if not looked_at.namespaces and selection.namespace_selectors:
        narrow.append("namespace_selectors")
    if looked_at.namespaces and not looked_at.pods and selectors:
        inhabited = _inhabited(client, list(looked_at.namespaces)[:_ASKED])
        if inhabited:
            facts.append(
                "{} {} pods, but none that meets {}".format(
                    ", ".join(inhabited), "has" if len(inhabited) == 1 else "have", " and ".join(selectors)
                )
            )
            narrow += selectors
    advice = (
        "Correct {}, or set allow_empty.".format(" or ".join(narrow))
        if narrow
        else "Check the names of the namespaces, or set allow_empty."
    )
    if looked_at.left_out[FINISHED]:
        advice = f"Set finished_pods to take pods that have ended. {advice}"
    return ScanError(
        "no_targets",
        "no container was selected",
        tried="selecting targets",
        cause="; ".join(facts) + ".",
        advice=advice,
    )


def _inhabited(client: ReadsObjects, namespaces: Sequence[str]) -> list[str]:
    return [
        name
        for name in namespaces
        if next(client.list_items(f"/api/v1/namespaces/{name}/pods", page_size=1), None) is not None
    ]
