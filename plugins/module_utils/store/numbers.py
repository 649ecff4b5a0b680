# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that are made once and then found by their words: the numbers of clusters, controls, images and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .database import Row, Work, clean
from .state import ControlKey, SeenProfile


def numbers_of(
    work: Work, table: str, words: Sequence[str], rows: Iterable[Row]
) -> dict[tuple[Any, ...], int]:
    """The number of each row by the columns that make it what it is; rows that are missing are made.

    :param words: these columns; the first narrows the search
    """
    given = {tuple(row[word] for word in words): row for row in rows}
    # as the database has them
    wanted = {tuple(clean(part) for part in key): row for key, row in given.items()}
    found = _look(work, table, words, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        work.add(table, [wanted[key] for key in missing])
        found.update(_look(work, table, words, missing))
    return {key: found[tuple(clean(part) for part in key)] for key in given}


def _look(
    work: Work, table: str, words: Sequence[str], keys: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], int]:
    first = words[0]
    sql = f"SELECT id, {', '.join(words)} FROM {table} WHERE {first} IN :first"
    rows = work.rows(sql, first=sorted({key[0] for key in keys}))
    return {tuple(_plain(row[word]) for word in words): row["id"] for row in rows}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


class ControlNumbers:
    """The store's numbers of controls. What a transaction that failed has made is forgotten by `forget`."""

    def __init__(self) -> None:
        self.ids: dict[ControlKey, int] = {}
        self.profiles: dict[int, str] = {}
        self._told: dict[tuple[str, str], set[str]] = {}

    def forget(self) -> None:
        self.ids.clear()
        self.profiles.clear()
        self._told.clear()

    def load(self, work: Work) -> None:
        for row in work.rows("SELECT id, profile, control FROM controls"):
            self._keep((row["profile"], row["control"]), row["id"])

    def learn(self, work: Work, keys: Iterable[ControlKey]) -> None:
        """Numbers of these controls."""
        missing = sorted({key for key in keys if key not in self.ids})
        if not missing:
            return
        rows = [{"profile": profile, "control": control} for profile, control in missing]
        for (profile, control), number in numbers_of(work, "controls", ("profile", "control"), rows).items():
            self._keep((profile, control), number)

    def learn_profiles(self, work: Work, profiles: Iterable[SeenProfile]) -> dict[tuple[str, str], int]:
        """The numbers of versions of profiles by (name, SHA-256); what their controls say is kept once for each."""
        given = [((profile.name, profile.sha256), profile) for profile in profiles]
        rows = [
            {"name": one.name, "version": one.version, "sha256": one.sha256, "title": one.title}
            for _key, one in given
        ]
        numbers = {
            (name, sha256): number
            for (name, sha256), number in numbers_of(work, "profiles", ("name", "sha256"), rows).items()
        }
        for key, profile in given:
            told = self._told.setdefault(key, set())
            if not told.issuperset(profile.texts):
                self._tell(work, numbers[key], profile)
                told.update(profile.texts)
        return numbers

    def _tell(self, work: Work, number: int, profile: SeenProfile) -> None:
        self.learn(work, ((profile.name, control) for control in profile.texts))
        work.add(
            "control_texts",
            [
                {
                    "profile_id": number,
                    "control_id": self.ids[profile.name, control],
                    "title": text.title,
                    "severity": text.severity,
                    "description": text.description,
                    "fix": text.fix,
                    "tags": text.tags,
                }
                for control, text in sorted(profile.texts.items())
            ],
        )

    def _keep(self, key: ControlKey, number: int) -> None:
        self.ids[key] = number
        self.profiles[number] = key[0]


def cause_numbers(work: Work, errors: Iterable[Mapping[str, str]]) -> dict[tuple[str, str, str], int]:
    """The numbers of causes by (code, reason, message)."""
    rows = [{name: error[name] for name in ("code", "reason", "message")} for error in errors]
    words = ("message", "code", "reason")
    found = numbers_of(work, "causes", words, rows)
    return {(code, reason, message): number for (message, code, reason), number in found.items()}
