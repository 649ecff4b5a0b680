# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done in a tracker: the tickets of a run against those that the tracker has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .grouping import Tickets
from .ticket import SOLVED, Known, Ticket


@dataclass(frozen=True)
class Plan:
    """`gone` are tickets about places that are not there any more. `not_opened` are those beyond the limit of new tickets, and
    `doubles` tickets that somebody else has opened with the same key: they are told, and left alone."""

    create: tuple[Ticket, ...]
    update: tuple[tuple[Known, Ticket], ...]
    reopen: tuple[tuple[Known, Ticket], ...]
    close: tuple[tuple[Known, Ticket], ...]
    gone: tuple[Known, ...]
    not_opened: tuple[Ticket, ...]
    doubles: tuple[Known, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not (self.create or self.update or self.reopen or self.close or self.gone)


def make_plan(found: Tickets, known: Iterable[Known], most_new: int, reopens: bool) -> Plan:
    """:param most_new: how many tickets are opened anew at most; the worst come first
    :param reopens: whether a closed ticket is opened again where its findings are there
    """
    by_key, doubles = _by_key(known)
    create: list[Ticket] = []
    update: list[tuple[Known, Ticket]] = []
    reopen: list[tuple[Known, Ticket]] = []
    close: list[tuple[Known, Ticket]] = []
    unchanged = 0
    for ticket in found.tickets:
        has = by_key.get(ticket.key)
        if ticket.state == SOLVED:
            if has is not None and has.is_open:
                close.append((has, ticket))
        elif has is None:
            create.append(ticket)
        elif not has.is_open:
            if reopens:
                reopen.append((has, ticket))
        elif has.digest != ticket.digest:
            update.append((has, ticket))
        else:
            unchanged += 1
    gone = tuple(
        one
        for one in by_key.values()
        if one.is_open and one.scope in found.gone_scopes and one.key not in found.seen
    )
    return Plan(
        tuple(create[:most_new]), tuple(update), tuple(reopen), tuple(close), gone,
        tuple(create[most_new:]), tuple(doubles), unchanged,
    )  # fmt: skip


def _by_key(known: Iterable[Known]) -> tuple[dict[str, Known], Sequence[Known]]:
    """key -> its ticket, and the others of the same key. The first that is open counts, else the first."""
    by_key: dict[str, Known] = {}
    doubles: list[Known] = []
    for one in known:
        before = by_key.get(one.key)
        if before is None or (one.is_open and not before.is_open):
            by_key[one.key] = one
        elif one.is_open:
            doubles.append(one)
    return by_key, doubles
