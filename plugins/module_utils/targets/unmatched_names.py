# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator named and what gave no target: a misspelt name must not pass for one without findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..suggestions import question
from ..text_layout import number_of
from .criteria import NAMED_KINDS, Name, Selection
from .selection_report import FINISHED, SelectionReport
from .workloads import ReadsObjects

NAMESPACE = "namespace"
_TRIED = "selecting targets"
_NO_PODS, _UNKNOWN = "has no pods", "or does not exist"
_NOT_SEEN = "limit_reached"  # whatever there is of it


@dataclass(frozen=True)
class UnmatchedName:
    """A name that gave no target, or a namespace that could not be looked into.

    :ivar kind: namespace, workload, pod or container
    :ivar name: as the operator wrote it
    :ivar namespace: where it was looked for; empty for namespaces, and where that were several
    :ivar is_absent: nothing of that name was seen; else it is there, and the options leave all of it out
    """

    kind: str
    name: str
    namespace: str
    error: ScanError
    is_absent: bool = True

    def sentence(self) -> str:
        """The same as a warning."""
        if self.error.tried == _TRIED:
            return self.error.message
        return f"{self.kind} {self.name} could not be looked into: {self.error}"

    def record(self) -> dict[str, Any]:
        """{kind, name, namespace, error: as ScanError.record(), with the name in its message}"""
        error = self.error.record()
        if self.error.tried != _TRIED:
            error["message"] = f"{self.kind} {self.name} could not be looked into: {error['message']}"
        return {"kind": self.kind, "name": self.name, "namespace": self.namespace, "error": error}


def find_unmatched(
    client: ReadsObjects, selection: Selection, looked_at: SelectionReport
) -> Iterator[UnmatchedName]:
    """Of a selection that was read to its end: the namespaces that could not be looked into, and the names (not the
    patterns) that gave no target. What an exclude_* option leaves out is meant to give none."""
    for namespace, error in looked_at.failures.items():
        yield UnmatchedName(NAMESPACE, namespace, "", error)
    for name in selection.plain[NAMESPACE]:
        if name not in looked_at.failures and not _is_settled((NAMESPACE, name), selection, looked_at):
            yield _namespace(client, name, selection, looked_at)
    if len(looked_at.failures) < len(looked_at.namespaces):  # else the namespaces say it all
        for kind in NAMED_KINDS:
            for name in selection.plain[kind]:
                if not _is_settled((kind, name), selection, looked_at):
                    yield _in_namespaces((kind, name), selection, looked_at)


def _is_settled(name: Name, selection: Selection, looked_at: SelectionReport) -> bool:
    """Whether it gave a target, or was left out because the operator said so."""
    left_out = looked_at.left_out_of.get(name)
    return (
        name in looked_at.matched
        or selection.excludes(*name)
        or bool(left_out and all(option.startswith("exclude_") for option in left_out))
    )


def _namespace(
    client: ReadsObjects, name: str, selection: Selection, looked_at: SelectionReport
) -> UnmatchedName:
    reason, is_absent, pods = "no_targets", True, looked_at.namespaces.get(name)
    # those before the last one were read to their end
    is_cut = looked_at.limit_reached and (pods is None or name == [*looked_at.namespaces][-1])
    if is_cut:
        reason = _NOT_SEEN
    if is_cut and not pods:
        said = f"was not looked into: the limit of {selection.limit} was reached before"
    elif pods is None:
        said = "does not exist, or does not meet namespace_selectors"
    elif pods:
        limit = selection.limit if is_cut else None
        said, is_absent = f"gave no target: {_left_out_of((NAMESPACE, name), looked_at, limit)}", False
    else:
        reason, said = _of_empty_namespace(client, name, selection)
        is_absent = not said.startswith(_NO_PODS) or _UNKNOWN in said
    return UnmatchedName(NAMESPACE, name, "", _gave_nothing(reason, f"namespace {name} {said}"), is_absent)


def _of_empty_namespace(client: ReadsObjects, name: str, selection: Selection) -> tuple[str, str]:
    """Reason and half a sentence. The API answers an empty list for a namespace that does not exist, as for one
    without pods."""
    try:
        client.get_metadata(f"/api/v1/namespaces/{name}")
    except ScanError as error:
        if error.reason == "not_found":
            return "not_found", "does not exist"
        if error.reason != "not_permitted":
            raise
        return "not_permitted", f"{_NO_PODS} {_UNKNOWN}; the credential is not allowed to read namespaces"
    return "no_targets", _NO_PODS + _that_meet(selection, " that meet")


def _in_namespaces(name: Name, selection: Selection, looked_at: SelectionReport) -> UnmatchedName:
    """A workload, pod or container that gave no target."""
    kind, shown = name[0], selection.as_written(name[1])
    places = list(looked_at.namespaces)
    where = f"in namespace {places[0]}" if len(places) == 1 else f"in {len(places)} namespaces"
    is_absent = name not in looked_at.left_out_of
    if not is_absent:
        said = f"{kind} {shown} gave no target {where}: {_left_out_of(name, looked_at)}"
    elif looked_at.limit_reached:
        said = f"{kind} {shown} gave no target before the limit of {selection.limit} was reached"
    else:
        there_is = f"no pod {where} belongs to" if kind == "workload" else f"there is no {kind}"
        said = "{} {}{}{}{}".format(
            there_is,
            shown,
            "" if kind == "workload" else f" {where}",
            _that_meet(selection, ", among the pods that meet"),
            _hint(name, looked_at),
        )
    place = places[0] if len(places) == 1 else ""
    reason = _NOT_SEEN if looked_at.limit_reached else "no_targets"
    return UnmatchedName(kind, shown, place, _gave_nothing(reason, said), is_absent)


def _hint(name: Name, looked_at: SelectionReport) -> str:
    """Which name was perhaps meant; of a workload one of the same kind."""
    kind, called = name[0], name[1].rpartition("/")[2]
    of_kind = name[1].rpartition("/")[0]
    known = [each.rpartition("/") for each in looked_at.seen[kind]]
    return question(called, [seen for before, _slash, seen in known if before.lower() == of_kind])


def _gave_nothing(reason: str, message: str) -> ScanError:
    return ScanError(reason, message, tried=_TRIED)


def _that_meet(selection: Selection, words: str) -> str:
    selectors = " and ".join(selection.selectors_of_pods())
    return f"{words} {selectors}" if selectors else ""


def _left_out_of(name: Name, looked_at: SelectionReport, limit: int | None = None) -> str:
    """What left it out, such as: pods left out 2, 1 container has finished, which finished_pods takes.

    :param limit: the one that was reached before its other containers were taken, if any was
    """
    words = [
        f"{number_of(number, 'container')} of pods that have ended, which finished_pods takes"
        if option == FINISHED
        else f"{option} left out {number}"
        for option, number in looked_at.left_out_of.get(name, {}).items()
    ]
    if limit is not None:
        words.append(f"the limit of {limit} was reached before")
    return ", ".join(words) or "its pods hold no container that was chosen"
