# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector: one POSIX sh script, made from a request.

It goes to `sh` by stdin and ends itself. All work is in one function that is run by the last line with stdin
from /dev/null: nothing can eat the rest of the script, and a script that was cut off on its way does nothing
at all. Only what the request needs is in it, since it travels with each exec.
"""

from __future__ import annotations

import functools
import math

from .facts import Query
from .families import FAMILIES
from .family import RUNNING, WITHIN, Family, IndexedQuery
from .frames import COLLECTOR_VERSION, check_nonce
from .query_rules import quote
from .request import CollectionRequest
from .shell_functions import FINISH, FROM_INSIDE, FUNCTIONS, NEEDS, PREPARE, SEE, STATS
from .short_names import shorten_names
from .surroundings import AROUND_BESIDE, AROUND_INSIDE
from .target_root import BESIDE, MOUNTED, ROOM
from .view import INSIDE, TargetView

# Stand for the nonce and the container's id until they are known; no part of a request can hold a NUL.
_NONCE, _CONTAINER_ID, _FIGURES = b"\0nonce\0", b"\0container\0", b"\0room\0"
_BESIDE = "the container's id"


def build_script(request: CollectionRequest, nonce: str, view: TargetView = INSIDE) -> bytes:
    """The script that answers a request with frames.

    :param nonce: 16 to 64 lower case hex digits, new for each run; stands in the reply. ValueError otherwise
    :param view: from where the shell that runs the script sees the target
    """
    check_nonce(nonce)
    script = _script_of(request, _BESIDE if view.container_id else view.mount_point, bool(view.memory_limit))
    figures = b"%d %d" % (view.memory_limit // 1000, math.ceil(view.headroom / 1000))
    return (
        script.replace(_NONCE, nonce.encode())
        .replace(_CONTAINER_ID, view.container_id.encode())
        .replace(_FIGURES, figures)
    )


@functools.lru_cache(maxsize=8)
def _script_of(request: CollectionRequest, root: str, looks_for_room: bool) -> bytes:
    """The script without what differs: a run sends the same one to each of its targets.

    :param root: empty for the shell's own, _BESIDE for that of the container, else the target's mount point
    :param looks_for_room: whether it looks first what is left of the pod's memory
    """
    wanted: dict[str, list[IndexedQuery]] = {}
    for index, query in enumerate(request.queries):
        wanted.setdefault(query.kind, []).append((index, query))
    asked = [(family, wanted[kind]) for kind, family in FAMILIES.items() if kind in wanted]
    out_of_reach = {_BESIDE: WITHIN, "": WITHIN + 1}.get(root, RUNNING)
    families = [(family, queries) for family, queries in asked if family.reach < out_of_reach]
    is_running = out_of_reach > RUNNING
    functions = _order_functions(
        [name for family, _queries in families for name in family.uses] + ["pick"] * is_running
    )
    programs = sorted(
        {name for family, _queries in families for name in family.programs}
        | {name for function in functions for name in NEEDS[function]["programs"].split()}
        | ({"grep", "readlink"} if root else set())
    )
    paths = dict.fromkeys(
        path for family, queries in families for _index, query in queries for path in family.stat_paths(query)
    )
    work = [
        b"main() {",
        b"nonce=%s left=%d limit=%d" % (_NONCE, request.output_limit, math.ceil(request.time_limit)),
        b"output='securescan-facts %s %s'$nl" % (COLLECTOR_VERSION.encode(), _NONCE),
        b"begin",
    ]
    if programs:
        work.append(
            b'for word in %s; do command -v $word >/dev/null && programs="$programs $word "; done'
            % " ".join(programs).encode()
        )
    if "base64" in programs:
        work.append(
            b"if has base64; then encoder='base64' encoding=base64; "
            b"elif has od; then encoder='od -An -v -tx1' encoding=hex; fi"
        )
    if root:
        work.append(b"enter " + (_CONTAINER_ID if root == _BESIDE else quote(root)))
    if is_running:
        work += [b"look_around", b"left=$((left-${#surroundings}))"]
    if looks_for_room:
        work.append(b"room " + _FIGURES)
    work += [_refuse(family, root, queries) for family, queries in asked if family.reach >= out_of_reach]
    if paths:
        work += [
            b'for word in %s; do at "$word" && set -- "$@" "$path"; done' % b" ".join(map(quote, paths)),
            b'stats "$@"',
        ]
    for family, queries in families:
        work += [b"set --", *family.calls(queries)]
    shells = dict.fromkeys(
        [FUNCTIONS[name] for name in functions] + [family.shell for family, _queries in families]
    )
    eyes = FROM_INSIDE + AROUND_INSIDE if not root else BESIDE + AROUND_BESIDE if root == _BESIDE else MOUNTED
    eyes += ROOM if looks_for_room else ""
    lines = [
        b"ROOT=." if root else b"ROOT=",
        *_strip(PREPARE + SEE + eyes + STATS),
        b"exec 2>/dev/null 3>/dev/null",
    ]
    lines += [line for shell in shells for line in _strip(shell)]
    lines = [*shorten_names(lines), *work, *_strip(FINISH), b"}", b"main </dev/null"]
    return b"\n".join(lines) + b"\n"


def frame_names(request: CollectionRequest) -> dict[str, Query]:
    """Every frame name that the script of this request may send for a query, with the query that it belongs
    to."""
    names: dict[str, Query] = {}
    for index, query in enumerate(request.queries):
        names[f"q{index}"] = query
        names.update({f"q{index}.{part}": query for part in FAMILIES[query.kind].parts})
    return names


def _refuse(family: Family, root: str, queries: list[IndexedQuery]) -> bytes:
    """The command that answers queries of a kind that cannot be seen from where the shell is."""
    if root == _BESIDE:
        why = "it can only be had from inside: no program of the target is run beside it"
    else:
        why = "an image at rest does not have it: the container must run"
    indexes = " ".join(f"{index}" for index, _query in queries)
    return b"for word in %s; do put q$word unsupported text %s; done" % (indexes.encode(), quote(why))


def _order_functions(names: list[str]) -> list[str]:
    """The shared functions with those that they need, each once."""
    ordered: dict[str, None] = {}
    for name in names:
        ordered.update(dict.fromkeys([*NEEDS[name]["functions"].split(), name]))
    return list(ordered)


def _strip(shell: str) -> list[bytes]:
    """Lines without indentation and empty lines; the code holds no text of several lines but nl, which
    stays."""
    return [line.strip(" ").encode() for line in shell.split("\n") if line.strip(" ")]
