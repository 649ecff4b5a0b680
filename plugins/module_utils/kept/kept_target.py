# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run keeps of one target, so that it can be judged again without a second scan:
`facts/<target>.json`.

What may be secret by its kind is not kept: command lines, contents of files, outputs of programs, values of
environment variables, targets of links, options of mounts with values; of the pod, all texts that no control can ask
for. In its place stand the parts that the run's profiles read, such as one setting of a file, and the answers to their
expectations. What is kept is then searched for what looks like a secret (secret_texts.py), which is a help and no
promise. What was not kept is not known: a control that needs it is Not Reviewed, with that cause.

    schema            securescan.kubernetes/kept-facts
    schema_version    number; 2
    collection        {name, version} of what wrote it
    collected         RFC 3339: when the target was seen
    method            how it was seen: run_id, approach, collector_version and whatever else the judgement's method held
    collector         what the collector said of itself and of what it was shown (see `read_facts`): version, shell,
                      programs, shell_protected, unexplained_mounts; version 1 had the first three
    target            all fields of `Target.identity()`
    pod               what is kept of the pod's API object (see kept_pod.py)
    facts             by key (see kept_facts.py)
    answers           SHA-256 of an expectation -> {asked, facts, status, text, what}, see `KeptAnswer`

Version 1 had no answers, and facts as a whole; it is read as well.

The summary holds the file's SHA-256: a file that was altered afterwards is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..collector.facts import Asked, Facts
from ..errors import ScanError
from ..results.producer import COLLECTION, VERSION
from ..safe_text import one_line
from ..secret_texts import values_without_secrets
from ..strict_json import load_json
from ..targets.identity import Target
from ..targets.pod import PodSnapshot, check_pod
from ..targets.selection import SelectedTarget
from .kept_facts import BadFactsError, keep_answers, keep_facts, restore_facts
from .kept_pod import kept_pod

SCHEMA = "securescan.kubernetes/kept-facts"
SCHEMA_VERSION = 2
# Those that this version can read.
_READABLE = (1, SCHEMA_VERSION)


@dataclass(frozen=True)
class KeptTarget:
    """A target read back; `selected` and `facts` are what an approach would have had of it."""

    method: dict[str, Any]
    collected: str
    selected: SelectedTarget
    facts: Facts


def keep_target(
    selected: SelectedTarget, facts: Facts, asked: Asked, method: Mapping[str, Any], collected: str
) -> dict[str, Any]:
    """The file's content.

    :param asked: what the run's engines asked of the facts that are sensitive
    :param method: the `method` of the target's judgement
    :param collected: RFC 3339
    """
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "collection": {"name": COLLECTION, "version": VERSION},
        "collected": collected,
        "method": values_without_secrets({name: value for name, value in method.items() if name != "unread"}),
        "collector": values_without_secrets(facts.collector),
        "target": selected.target.identity(),
        "pod": kept_pod(selected.pod.object()),
        "facts": keep_facts(facts, asked),
        "answers": keep_answers(asked),
    }


def read_kept_target(data: bytes, source: str) -> KeptTarget:
    """The target in a file's bytes; `source` names it in errors.

    :raises ScanError: `bad_facts` for anything but a whole file of this schema version
    """
    try:
        kept = load_json(data)
    except (ValueError, RecursionError) as reason:
        raise _bad(source, f"is not JSON, or is cut off: {one_line(str(reason), 200)}") from None
    if (
        not isinstance(kept, dict)
        or kept.get("schema") != SCHEMA
        or kept.get("schema_version") not in _READABLE
        or kept["schema_version"] is True
    ):
        versions = " or ".join(map(str, _READABLE))
        raise _bad(source, f"is not of the format of kept facts, version {versions}")
    if not isinstance(kept.get("collected"), str):
        raise _bad(source, "collected must be text")
    for name in ("method", "target", "pod", "collector", "facts"):
        if not isinstance(kept.get(name), dict):
            raise _bad(source, f"{name} must be an object")
    if not isinstance(kept["method"].get("approach"), str):
        raise _bad(source, "method must hold the approach")
    names = [field.name for field in fields(Target)]
    if not all(isinstance(kept["target"].get(name), str) for name in names):
        raise _bad(source, "target must hold the texts {}".format(", ".join(names)))
    target = Target(**{name: kept["target"][name] for name in names})
    try:
        check_pod(kept["pod"], target.namespace)
        facts = restore_facts(kept["facts"], kept["collector"], kept.get("answers"))
    except (ScanError, BadFactsError) as reason:
        raise _bad(source, getattr(reason, "message", str(reason))) from None
    pod = PodSnapshot.from_object(kept["pod"], is_kept=True)
    return KeptTarget(kept["method"], kept["collected"], SelectedTarget(target, pod), facts)


def _bad(source: str, what: str) -> ScanError:
    return ScanError("bad_facts", f"{source}: {what}", tried="read kept facts")
