# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the container's reply to facts."""

from __future__ import annotations

from typing import Any

from ..errors import ScanError
from .fact_memory import FactMemory
from .facts import OK, UNSUPPORTED, Fact, Facts, Query
from .families import FAMILIES
from .family import Answer, NotOkError, read_frame
from .frames import COLLECTOR_VERSION, BadContentError, Frame, ParsedReply, decode_text, parse_frames
from .request import CollectionRequest
from .script import frame_names
from .surroundings import Surroundings, read_surroundings
from .view import INSIDE, TargetView, check_entered

_OWN_FRAME = "collector"
_memory = FactMemory()


def read_facts(request: CollectionRequest, data: bytes, nonce: str, view: TargetView = INSIDE) -> Facts:
    """The facts of a reply: one for every query of the request, and none besides.

    `collector` of the result says how they were gathered: {"version": str, "shell": str, "programs": [str],
    "shell_protected": str, "unexplained_mounts": [str]}, the last two as of Surroundings. Content that is not
    understood costs only its own fact.

    :raises ScanError: incomplete_reply where the data ends early or a query has no answer; invalid_reply where
        the data is not a reply to this request; target_missing, target_unreadable and memory_short where the
        collector ran, but could not see its target by this view, did not look, or was shown something else
    """
    reply = parse_frames(data, nonce)
    if not view.is_inside:
        check_entered(reply.frames.get(_OWN_FRAME), view)
    shared = {FAMILIES[query.kind].shared for query in request.queries}
    unknown = set(reply.frames) - set(frame_names(request)) - shared - {_OWN_FRAME}
    if unknown:
        raise ScanError(
            "invalid_reply", f"the collector's reply has frames that were not asked for: {min(unknown)}"
        )
    parsed: dict[str, Any] = {}
    facts = {
        query.key: _read_fact(reply, Answer(index, reply.frames, parsed), query)
        for index, query in enumerate(request.queries)
    }
    return Facts(facts, _read_collector(reply, view))


def _read_fact(reply: ParsedReply, answer: Answer, query: Query) -> Fact:
    own = reply.frames.get(f"q{answer.index}")
    if own is None:
        raise ScanError("incomplete_reply", f"the collector's reply has no answer for {query.key}")
    fact = _memory.recall(query, own, reply.frames)
    if fact is None:
        fact = _read_answer(answer, query, own)
        fact = _memory.keep(query, own, answer.used, fact)
    return fact


def _read_answer(answer: Answer, query: Query, own: Frame) -> Fact:
    if own.status != OK:
        return read_frame(own)
    try:
        return FAMILIES[query.kind].read(answer, query)
    except NotOkError as error:
        return read_frame(error.frame)
    except BadContentError as error:
        return Fact(UNSUPPORTED, cause=f"it cannot be understood: {error}")


def _read_collector(reply: ParsedReply, view: TargetView) -> dict[str, object]:
    frame = reply.frames.get(_OWN_FRAME)
    if frame is None:
        raise ScanError("incomplete_reply", "the collector's reply does not tell how it was made")
    lines = frame.payload.split(b"\n")
    fields = dict(decode_text(line[:1000]).partition("=")[::2] for line in lines[:2])
    surroundings = Surroundings()
    if not view.mount_point:
        surroundings = read_surroundings(
            lines[2:], is_beside=bool(view.container_id), mount_paths=view.mount_paths
        )
    return {
        "version": COLLECTOR_VERSION,
        "shell": fields.get("shell") or "sh",
        "programs": fields.get("programs", "").split(),
        "shell_protected": surroundings.shell_protected,
        "unexplained_mounts": list(surroundings.unexplained_mounts),
    }
