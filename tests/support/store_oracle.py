# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of a few places, and what a store must say of them: worked out of all runs again for each question."""

from __future__ import annotations

import pathlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.securescan.kubernetes.plugins.module_utils.results.place import Place
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.opening import make_store
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.questions.question import Asked
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, epoch, night, target

_WORDS = {"passed": "passed", "failed": "failed", "error": "profile_error", "skipped": "not_reviewed"}
_BAD = ("failed", "profile_error")
_WORST_FIRST = ("failed", "profile_error", "not_reviewed", "passed")
_PROFILES = {"baseline": ("c-root", "c-shell", "c-label"), "other": ("w-one", "w-two")}
_DAYS = 7


@dataclass
class _Night:
    """`seen`: the statuses of each target's controls; `missing`: targets that were not scanned."""

    number: int
    run_id: str
    profile: str
    controls: Sequence[str]
    everywhere: bool
    seen: dict[Target, Mapping[str, str]] = field(default_factory=dict)
    missing: list[Target] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, str]:
        return self.number, self.run_id

    def present(self, place: str) -> bool:
        return any(Place.of(one).id == place for one in (*self.seen, *self.missing))

    def statuses(self, place: str) -> dict[str, str]:
        """The worst of the place's targets that were scanned; empty where none was."""
        found = [statuses for one, statuses in self.seen.items() if Place.of(one).id == place]
        if not found:
            return {}
        return {
            name: min((_WORDS[one.get(name, "passed")] for one in found), key=_WORST_FIRST.index)
            for name in self.controls
        }

    def hides(self, place: str) -> bool:
        return any(Place.of(one).id == place for one in self.missing)


@dataclass
class _Life:
    """One status of a control, from a night until another one."""

    since: int
    status: str
    opened: int | None
    began: str
    until: int | None = None
    became: str | None = None


class _Model:
    def __init__(self, nights: Sequence[_Night]) -> None:
        self.nights = sorted(nights, key=lambda one: one.order)
        self.places = sorted({Place.of(one).id for each in nights for one in (*each.seen, *each.missing)})

    def gone(self, place: str) -> int | None:
        last = max(one.number for one in self.nights if one.present(place))
        return next((one.number for one in self.nights if one.number > last and one.everywhere), None)

    def there(self, place: str, at: int) -> bool:
        first = min(one.number for one in self.nights if one.present(place))
        gone = self.gone(place)
        return first <= at and (gone is None or gone > at)

    def scans(self, place: str) -> list[_Night]:
        """Of several in one second, the last."""
        return list({one.number: one for one in self.nights if one.statuses(place)}.values())

    def lives(self, place: str, control: str) -> list[_Life]:
        found: list[_Life] = []
        last: _Life | None = None
        for scan in self.scans(place):
            if control not in _PROFILES[scan.profile]:
                continue
            status = scan.statuses(place).get(control, "absent")
            was_open = last is not None and last.opened is not None
            if was_open and status not in _BAD and scan.hides(place):
                continue
            if last is not None and last.status == status:
                continue
            if last is not None:
                last.until, last.became = scan.number, status
            opened, began = None, ""
            if was_open and status in (*_BAD, "not_reviewed"):
                assert last
                opened, began = last.opened, "changed"
            elif status in _BAD:
                opened = scan.number
                began = "reopened" if any(one.opened is not None for one in found) else "opened"
            last = None
            if status not in ("passed", "absent"):
                last = _Life(scan.number, status, opened, began)
                found.append(last)
        return found

    def all_lives(self) -> list[tuple[str, str, _Life]]:
        controls = [control for names in _PROFILES.values() for control in names]
        return [
            (place, name, life)
            for place in self.places
            for name in controls
            for life in self.lives(place, name)
        ]

    def open_at(self, at: int) -> set[tuple[str, str, str, str, str]]:
        return {
            (place, name, life.status, night(life.opened), night(life.since))
            for place, name, life in self.all_lives()
            if life.opened is not None and life.since <= at and (life.until is None or life.until > at)
            and self.there(place, at)
        }  # fmt: skip

    def changes(self) -> Counter[tuple[str, ...]]:
        found: Counter[tuple[str, ...]] = Counter()
        for place, name, life in self.all_lives():
            if life.opened is None:
                continue
            found[night(life.since), life.began, place, name, life.status] += 1
            gone = self.gone(place)
            if life.until is not None and life.became not in (*_BAD, "not_reviewed"):
                what = "fixed" if life.became == "passed" else "closed"
                found[night(life.until), what, place, name, str(life.became)] += 1
            elif life.until is None and gone is not None:
                found[night(gone), "closed", place, name, "gone"] += 1
        return found

    def newest(self, at: int) -> _Night:
        return [one for one in self.nights if one.number <= at][-1]

    def ages(self, at: int) -> set[tuple[str, int]]:
        found = set()
        for place in self.places:
            if self.there(place, at):
                known = [one.number for one in self.nights if one.present(place) and one.number <= at]
                seen = [one.number for one in self.nights if one.statuses(place) and one.number <= at]
                found.add((place, epoch(at) - epoch(max(seen) if seen else min(known))))
        return found

    def compliance(self, at: int) -> tuple[int, int, int, int, int]:
        """(places, passed, failed, not reviewed, profile errors) of the fleet."""
        counts: Counter[str] = Counter()
        for place in self.places:
            scans = [one for one in self.scans(place) if one.number <= at]
            if scans and self.there(place, at):
                counts.update(scans[-1].statuses(place).values())
                counts["places"] += 1
        names = ("places", "passed", "failed", "not_reviewed", "profile_error")
        return tuple(counts[name] for name in names)  # type: ignore[return-value]

    def judged_on(self, at: int, control: str) -> tuple[int, int]:
        """(places whose newest scan judged the control's profile, of these the ones where the control passed or is no more)."""
        places = passed = 0
        for place in self.places:
            scans = [one for one in self.scans(place) if one.number <= at]
            if scans and self.there(place, at) and control in _PROFILES[scans[-1].profile]:
                places += 1
                lives = self.lives(place, control)
                passed += not any(one.since <= at and (one.until is None or one.until > at) for one in lives)
        return places, passed


def _history(rng: random.Random) -> list[_Night]:
    pods = [target("api-1"), target("api-2"), target("web-1"), target("pay-1", namespace="pay")]
    nights = []
    for index in range(_DAYS):
        profile = rng.choice(("baseline", "baseline", "other"))
        number = max(0, index - rng.choice((0, 0, 0, 1)))
        one = _Night(number, f"run-{index}", profile, _PROFILES[profile], rng.random() < 0.7)
        for pod in pods:
            if rng.random() < 0.2:
                continue
            if rng.random() < 0.2:
                one.missing.append(pod)
            else:
                one.seen[pod] = {
                    name: rng.choice(list(_WORDS)) for name in one.controls if rng.random() < 0.6
                }
        if one.seen or one.missing:
            nights.append(one)
    return nights


def _write(nights: Nights, one: _Night) -> Run:
    narrow = {"namespaces": ["*"], "container_kinds": ["container"], "limit": 4}
    return nights.scan(
        one.number, one.seen, run_id=one.run_id, missing=one.missing, selection=None if one.everywhere else narrow,
        profile=one.profile, sha256={"baseline": "ab", "other": "cd"}[one.profile] * 32, controls=one.controls,
    )  # fmt: skip


def _take(store: Store, runs: Sequence[Run], rng: random.Random) -> None:
    """In any order, some twice, and of some half at first."""
    half: list[tuple[pathlib.Path, pathlib.Path]] = []
    for run in rng.sample([*runs, *rng.sample(list(runs), 2)], len(runs) + 2):
        scanned = [record for record in run.targets if record.hdf]
        if scanned and rng.random() < 0.4:
            path = pathlib.Path(run.folder) / str(rng.choice(scanned).hdf)
            if path.exists():
                half.append((path, path.rename(path.with_suffix(".away"))))
        store.ingest_run(run)
    for path, away in half:
        away.rename(path)
    for run in runs:
        assert store.ingest_run(run).state == "whole"
        assert not store.ingest_run(run).is_new


def random_histories_are_as_recomputed(address: str, folder: pathlib.Path, seed: int = 1) -> None:
    rng = random.Random(seed)
    history = _history(rng)
    model, store, writer = _Model(history), make_store(address), Nights(folder)
    _take(store, [_write(writer, one) for one in history], rng)

    def rows(question: str, *names: str, **asked: object) -> list[tuple[object, ...]]:
        answer = store.ask(question, Asked(**asked))  # type: ignore[arg-type]
        return [tuple(getattr(row, name) for name in names) for row in answer.rows]

    names = ("place", "control", "status", "opened", "since")
    assert set(rows("open_now", *names)) == model.open_at(_DAYS + 1), seed
    assert Counter(rows("changes", "at", "change", "place", "control", "status")) == model.changes(), seed
    fleet = rows("compliance_over_time", "at", "places", "passed", "failed", "not_reviewed", "profile_error")
    controls = rows("compliance_over_time", "name", "at", "places", "passed", by="control")
    for at in sorted({one.number for one in history}):
        assert set(rows("open_at", *names, at=epoch(at))) == model.open_at(at), (seed, at)
        assert set(rows("age", "place", "age", at=epoch(at))) == model.ages(at), (seed, at)
        newest = model.newest(at)
        assert rows("coverage", "run_id", "at", at=epoch(at)) == [(newest.run_id, night(at))]
        missing = {Place.of(one).id for one in newest.missing}
        assert {place for (place,) in rows("not_scanned", "place", at=epoch(at))} == missing, (seed, at)
        told = [row for row in fleet if str(row[0]) <= night(at)]
        assert (told[-1][1:] if told else (0,) * 5) == model.compliance(at), (seed, at)
        for profile, of_profile in _PROFILES.items():
            for control in of_profile:
                steps = [
                    row for row in controls if row[0] == f"{profile} {control}" and str(row[1]) <= night(at)
                ]
                found = steps[-1][2:] if steps else (0, 0)
                assert found == model.judged_on(at, control), (seed, at, control)
