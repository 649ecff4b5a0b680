# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a selection found nothing. The cluster is asked only in that case, by a few small requests."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ScanError
from .criteria import Selection
from .selection_report import SelectionReport
from .workloads import ReadsObjects

# In how many namespaces, at most, we look whether they have pods at all.
_ASKED = 5


def unseen_namespaces(client: ReadsObjects, selection: Selection, looked_at: SelectionReport) -> list[str]:
    """A sentence for each namespace that was named and has no pods, if it does not exist or we cannot find
    out.

    The API answers an empty list for a namespace that does not exist, as for one without pods.
    """
    found = []
    for name in selection.named_namespaces:
        if looked_at.namespaces.get(name) != 0:
            continue
        try:
            client.get_metadata(f"/api/v1/namespaces/{name}")
        except ScanError as error:
            if error.reason == "not_found":
                found.append(f"namespace {name} does not exist")
            elif error.reason == "not_permitted":
                found.append(
                    f"namespace {name} has no pods or does not exist; the credential is not allowed to read namespaces"
                )
            else:
                raise
    return found


def no_targets(
    client: ReadsObjects, selection: Selection, looked_at: SelectionReport, missing: Sequence[str]
) -> ScanError:
    """The error for a selection without targets. `missing` are the sentences of `unseen_namespaces`."""
    narrow = [option for option, number in looked_at.left_out.items() if number]
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
