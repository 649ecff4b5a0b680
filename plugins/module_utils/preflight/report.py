# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A preflight and a footprint as text for terminals: what, how, what is missing, how long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..approaches.registry import kind_of
from ..safe_text import one_line
from ..text_layout import number_of, wrap
from .estimate import TEST_BED_NAME
from .verdict import REFUSED, UNKNOWN, WORKS

_WIDTH = 100
_MOST_NAMES = 8
_TEST_BED_WORDS = (
    "The test bed is the project's own: two cores for cluster and controller together. "
    "After a first scan the seconds are those of this cluster (the module's option earlier_run)"
)
_LEFT_OUT_WORDS = {
    "finished": "of pods that have ended (finished_pods takes them)",
    "own_sidecar": "sidecars of scans",
    "replica_alike": "replicas that are alike",
}
_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def preflight_lines(cluster: str, explained: Mapping[str, Any]) -> list[str]:
    """The whole report of one cluster."""
    lines = [
        "",
        one_line(
            "PREFLIGHT of {} ({}) as {}".format(cluster, explained["server_version"], explained["grantor"])
        ),
    ]
    lines += _what(explained)
    lines += _how(explained)
    for approach, found in explained["approaches"].items():
        lines += _approach(approach, found)
    lines += _missing(explained)
    lines += [
        "",
        *_wrapped(
            "TIME     ", time_text(explained["estimate"]) if explained["scannable"] else "nothing to do"
        ),
    ]
    lines += ["", *_wrapped("RESULT   ", explained["conclusion"]), ""]
    return lines


def result_text(explained: Mapping[str, Any]) -> str:
    """The decision in one sentence."""
    return _can_begin(explained) + _gives_nothing(explained)


def _gives_nothing(explained: Mapping[str, Any]) -> str:
    """What was named and gives nothing, where the gate counts that."""
    number = explained["gaps"]
    if not number:
        return ""
    names = [f"{gap['kind']} {gap['name']}" for gap in explained["unmatched"] if gap["counts"]]
    return "; but {} {} no target, which counts as not scanned: {}".format(
        number_of(number, "name"), "gives" if number == 1 else "give", _names(names, number)
    )


def _can_begin(explained: Mapping[str, Any]) -> str:
    if not explained["targets"]:
        return "nothing is to be scanned: no container was selected"
    if not explained["scannable"]:
        return "NOTHING can be scanned by {}: {}".format(
            explained["approach"],
            "; ".join(reason["message"] for reason in _reasons_that_count(explained)[:_MOST_NAMES])
            or "no approach is left",
        )
    text = "a scan by {} can begin: {}".format(
        explained["approach"], number_of(explained["scannable"], "container")
    )
    if explained["not_scannable"]:
        text += ", {} more cannot be scanned".format(explained["not_scannable"])
    return text


def time_text(estimate: Mapping[str, Any]) -> str:
    """The estimate, and what it is made of."""
    parts = [
        "{} x {:g} s by {} ({})".format(
            part["uses"],
            part["seconds"],
            part["approach"],
            part["measured_in"] if part["measured_in"] == TEST_BED_NAME else "run " + part["measured_in"],
        )
        for part in estimate["parts"]
    ]
    text = "about {}: {}, {} at a time, and {:g} s for each of {}".format(
        _duration(estimate["seconds"]),
        " + ".join(parts),
        estimate["concurrency"],
        estimate["seconds_per_namespace"],
        number_of(estimate["namespaces"], "namespace"),
    )
    if any(part["measured_in"] == TEST_BED_NAME for part in estimate["parts"]):
        text += f". {_TEST_BED_WORDS}"
    return text


def footprint_lines(cluster: str, footprint: Mapping[str, Any]) -> list[str]:
    """The entries by pod and age, the oldest first."""
    head = "FOOTPRINT of {}: {} in {}".format(
        cluster, number_of(footprint["count"], "entry", "entries"), number_of(footprint["pods"], "pod")
    )
    lines = [
        "",
        one_line(
            "{}, {} of them running{}".format(
                head,
                footprint["running"],
                ", the oldest started {} ago".format(_duration(footprint["oldest"]))
                if footprint["oldest"] is not None
                else "",
            )
        ),
    ]
    for entry in footprint["entries"]:
        age = "-" if entry["age"] is None else _duration(entry["age"])
        lines.append(
            "  {:<8} {:<11} {}".format(
                age,
                one_line(entry["state"]),
                one_line("{}/{} {}".format(entry["namespace"], entry["pod"], entry["name"])),
            )
        )
    more = footprint["count"] - len(footprint["entries"])
    if more:
        lines.append(f"  and {more} more")
    if footprint["count"]:
        lines += [
            "",
            "An ended one uses nothing. An entry goes when its pod is replaced: by the next rollout, or by",
            "ansible-playbook securescan.kubernetes.recycle, which evicts the pods and respects their budgets.",
        ]
    return [*lines, ""]


def _what(explained: Mapping[str, Any]) -> list[str]:
    lines = [
        "",
        "WHAT     {} in {}".format(
            number_of(explained["targets"], "container"),
            number_of(len(explained["namespaces"]) + explained["namespaces_left_out"], "namespace"),
        ),
    ]
    width = max((len(name) for name in explained["namespaces"]), default=0)
    for name, kinds in explained["namespaces"].items():
        lines += _wrapped(
            f"  {one_line(name).ljust(width)}  ", ", ".join("{} {}".format(*pair) for pair in kinds.items())
        )
    if explained["namespaces_left_out"]:
        lines.append("  and " + number_of(explained["namespaces_left_out"], "smaller namespace"))
    return lines + _left_out(explained)


def _left_out(explained: Mapping[str, Any]) -> list[str]:
    words = [
        f"{number} {_LEFT_OUT_WORDS.get(word, one_line(word))}"
        for word, number in explained["left_out"].items()
    ]
    lines = _wrapped("  left out: ", ", ".join(words)) if words else []
    for entry in explained["unmatched"][:_MOST_NAMES]:
        lines += _wrapped("  no target: ", entry["error"]["message"])
    more = explained["unmatched_count"] - min(_MOST_NAMES, len(explained["unmatched"]))
    return [*lines, *([f"  and {number_of(more, 'more name')} without a target"] if more > 0 else [])]


def _how(explained: Mapping[str, Any]) -> list[str]:
    lines = ["", "HOW      with approach={}".format(explained["approach"])]
    lacking: dict[str, list[str]] = {}
    for name, why in explained["not_tried"].items():
        lacking.setdefault(why, []).append(name)
    for why, names in lacking.items():
        lines += _wrapped("  not tried: ", f"{', '.join(names)} ({why})")
    for entry in explained["tried"]:
        lines.append("  {:6d}  {}".format(entry["targets"], _tried_text(entry["approaches"])))
    for entry in explained["cross_checks"]:
        lines.append(
            "  {:6d}  {}".format(
                entry["targets"],
                f"checked by {entry['approach']}"
                if entry["approach"]
                else "cannot be checked by a second approach",
            )
        )
    return lines


def _tried_text(approaches: list[str]) -> str:
    if not approaches:
        return "cannot be scanned"
    words = [(approach, kind_of(approach).unchanged.condition) for approach in approaches]
    return ", else ".join(", ".join(filter(None, pair)) for pair in words)


def _approach(approach: str, found: Mapping[str, Any]) -> list[str]:
    lines = [
        "",
        f"{approach:<8} {found[WORKS]} work, {found[UNKNOWN]} unknown, {found[REFUSED]} refused",
    ]
    for reason in found["reasons"]:
        if reason["status"] == WORKS:
            continue
        code = "{} {}: ".format(reason["code"], reason["reason"]) if reason["status"] == REFUSED else ""
        parts = [
            part.rstrip(".")
            for part in (reason["message"], reason.get("cause", ""), reason.get("advice", ""))
            if part
        ]
        lines += _wrapped(
            "  {:6d}  ".format(reason["targets"]),
            "{}{}. ({})".format(code, ". ".join(parts), _names(reason["examples"], reason["targets"])),
        )
    if found["reasons_left_out"]:
        lines.append("  and " + number_of(found["reasons_left_out"], "more reason"))
    return lines


def _missing(explained: Mapping[str, Any]) -> list[str]:
    if not explained["missing"]:
        return ["", "MISSING  none"]
    lines = [""]
    for entry in explained["missing"]:
        lines += _wrapped(
            "MISSING  ",
            "{} lacks, for {}, in {} {}:".format(
                explained["grantor"],
                " and ".join(entry["approaches"]),
                "namespace"
                if entry["namespaces_count"] == 1
                else "{} namespaces,".format(entry["namespaces_count"]),
                _names(entry["namespaces"], entry["namespaces_count"]),
            ),
        )
        # as YAML's flow style, fit to be pasted below `rules:`
        lines += [
            "    - {{apiGroups: {}, resources: {}, verbs: {}}}".format(
                *tuple(json.dumps(rule[key]) for key in ("apiGroups", "resources", "verbs"))
            )
            for rule in entry["rules"]
        ]
    return lines


def _reasons_that_count(explained: Mapping[str, Any]) -> list[dict[str, Any]]:
    approaches = explained["order"]
    return [reason for approach in approaches for reason in explained["approaches"][approach]["reasons"]]


def _names(names: Iterable[str], number: int) -> str:
    shown = [one_line(name) for name in names][:_MOST_NAMES]
    return ", ".join(shown) + (f" and {number - len(shown)} more" if number > len(shown) else "")


def _wrapped(start: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, start, " " * len(start))


def _duration(seconds: int) -> str:
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
