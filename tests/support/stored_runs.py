# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a few nights for tests of the store, and a store's content in a form that can be compared."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import (
    NamespaceOwner,
    ProfileReference,
    Run,
    open_run,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_summary_builder import (
    RunSummaryBuilder,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.store.store import Store
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.identity import Target
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_judgement,
    make_profile,
    make_target,
)

FIRST_NIGHT = datetime(2026, 11, 1, 2, 0, tzinfo=timezone.utc)
IMPACTS = {"c-root": 1.0, "c-shell": 0.8, "c-label": 0.2}
_OTHER_IMPACT = 0.5
SHA256 = "ab" * 32
NO_SHELL = ScanError("no_such_program", 'exec: "sh": not found', tried="exec into shop/bare-1/app")
# What a target's controls are: by control id; those that are left out pass.
Statuses = Mapping[str, str]


def night(number: int) -> str:
    return (FIRST_NIGHT + timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(number: int) -> int:
    return int((FIRST_NIGHT + timedelta(days=number)).timestamp())


def target(pod: str, **fields: str) -> Target:
    """The workload has the name of the pod without its last part."""
    return make_target(pod, **{"workload": pod.rpartition("-")[0], **fields})


class Nights:
    """Writes runs of one cluster below a folder."""

    def __init__(self, folder: pathlib.Path, cluster: str = "demo") -> None:
        self.folder = folder / cluster
        self.cluster = cluster

    def scan(
        self,
        number: int,
        targets: Mapping[Target, Statuses],
        *,
        run_id: str = "",
        missing: Sequence[Target] = (),
        teams: Mapping[str, str] | None = None,
        selection: Mapping[str, Any] | None = None,
        sha256: str = SHA256,
        controls: Sequence[str] = tuple(IMPACTS),
        profile: str = "baseline",
        **fields: Any,
    ) -> Run:
        """A run in that night.

        :param teams: namespace -> team
        """
        run_id = run_id or f"night-{number}"
        run_folder = RunFolder(str(self.folder), run_id)
        run_folder.create()
        builder = RunSummaryBuilder(
            run_id=run_id,
            started=night(number),
            cluster=self.cluster,
            selection=selection or {"namespaces": ["*"], "container_kinds": ["container"]},
            profiles=[ProfileReference(profile, "1.2.0", sha256)],
            **({"namespaces": [NamespaceOwner(name, team, "production") for name, team in teams.items()]} if teams else {}),
            **fields,
        )  # fmt: skip
        for one, statuses in targets.items():
            document = _document(one, statuses, run_id, number, sha256, controls, profile)
            path, digest = run_folder.write_hdf(document, one.identity())
            builder.add_scanned(one.identity(), "exec", 0.25, document, path, hdf_sha256=digest)
        for one in missing:
            builder.add_not_scanned(one.identity(), "exec", 0.05, NO_SHELL.record())
        run_folder.write_summary(builder.finish(night(number), 2.0))
        return open_run(str(run_folder.path))


def _document(
    one: Target,
    statuses: Statuses,
    run_id: str,
    number: int,
    sha256: str,
    controls: Sequence[str],
    name_of_profile: str,
) -> dict[str, Any]:
    made = [
        make_control(
            name,
            statuses.get(name, "passed"),
            impact=IMPACTS.get(name, _OTHER_IMPACT),
            descriptions={"fix": f"Mend {name}."},
        )
        for name in controls
    ]
    profile = make_profile(name_of_profile, *made)
    profile.sha256 = sha256
    judgement = make_judgement(one, profile)
    judgement.method["run_id"] = run_id
    judgement.started = night(number)
    judgement.method["evidence"] = {"grade": "target", "reasons": []}
    return hdf_document(judgement)


# By table, which columns hold a number of another table's row.
_NUMBERS = {
    "cluster_id": "clusters",
    "namespace_id": "namespaces",
    "place_id": "places",
    "profile_id": "profiles",
    "control_id": "controls",
    "state_id": "states",
    "image_id": "images",
    "cause_id": "causes",
    "target_id": "targets",
    "template_id": "templates",
}
_NAMES = {
    "clusters": "name",
    "namespaces": "name",
    "places": "place",
    "profiles": "sha256",
    "controls": "control",
    "runs": "run_id",
    "states": "sha256",
    "images": "image",
    "causes": "message",
    "targets": "target_id",
    "templates": "sha256",
    "pieces": "sha256",
}
_LEFT_OUT = {"team_roles", "store"}


def content(store: Store) -> dict[str, list[str]]:
    """Every row of every table, without the store's own numbers."""
    from ansible_collections.securescan.kubernetes.plugins.module_utils.store.backup import TABLES

    with store.database.read() as work:
        names = {
            table: {row["id"]: _plain(row[name]) for row in work.rows(f"SELECT id, {name} FROM {table}")}
            for table, name in _NAMES.items()
        }
        found = {}
        for table in TABLES:
            if table in _LEFT_OUT:
                continue
            rows = []
            for row in work.rows(f"SELECT * FROM {table}"):
                values = {}
                for name, value in row.items():
                    other = _NUMBERS.get(name)
                    if name == "run_id" and isinstance(value, int):
                        other = "runs"
                    if name == "id" or (table in ("states", "templates") and name == "body"):
                        continue  # its numbers are those of this store; its digest tells
                    values[name] = (
                        names[other][value] if other in names and isinstance(value, int) else _plain(value)
                    )
                rows.append(repr(sorted(values.items())))
            found[table] = sorted(rows)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    return int(value) if isinstance(value, bool) else value
