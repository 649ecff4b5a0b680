# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schema version 1. Its tables, with what a row of each is.

Times are whole seconds since 1970 (UTC); the time of a change is the start of the run that saw it. Identifiers are numbers of
this store and mean nothing outside. Texts out of clusters and containers are as their documents have them: hostile.

    store               one property of the store: schema_version, pruned_before (runs that started earlier are not taken)
    clusters            a cluster by its name in results; `uid` is that of its API server, as the newest run had it
    namespaces          a namespace; team and environment as the newest run (`told_at`) had them.
    places              a container of a workload, whatever pod it is in. `first_present` and `last_present`: the first and the
                        last run that knew it, scanned or not. `last_at`: the last run that scanned it; `last_seen`: when its
                        newest facts were collected. `gone_at`: the first whole run after `last_present` that looked at its
                        namespace and did not find it
    profiles            a version of a profile, by its SHA-256
    controls            a control of a profile, whatever version
    control_texts       what a control says in one version of its profile
    runs                a run. `state` is half until every target of it is there; `refused` says which could not be taken.
                        `covers` says of which namespaces it looked at everything (coverage.py); `places` is their number
    images              an image reference with its digest
    states              what was seen of a place, without the time: the status of each control (`body`: see state.py) and its
                        counts. Equal ones are kept once, of whatever place they are. `containers`: for how many containers it
                        stands; the worst status of them counts
    state_images        the images of a state: several while a workload is rolled out
    state_profiles      the counts of each profile of a state
    scans               that a run saw a place in a state: the one row that a scan without news costs
    place_states        the state of a place from `since` until `until` (null: still): a row per change
    findings            one control on one place with one status other than passed, from `since` until `until`: a row per change.
                        `opened`: since when it is open (failed or profile_error, and not seen better since). `began`: opened,
                        changed or reopened, empty for what is not open. `became`: what it was afterwards, null while it lasts
    causes              why something was not scanned: code, reason, message
    not_scanned         a place of a run that was not scanned
    gaps                a name of a run's selection that gave no target
    targets             a target id of a place, to find its documents
    documents           the HDF document of a target in a run: a template, and what to put into its holes (documents.py)
    templates           what the documents of a target have in common: the numbers of its pieces, compressed
    pieces              a piece of templates, compressed
    known_results       the targets of a place as the last run that scanned it had them, compressed (known_results.py)
    fleet_runs          a fleet run, with its fleet.json, compressed
    fleet_run_clusters  what a fleet run says of a cluster
    deadlines           a deadline of the policy in seconds: kind is scan or a severity; null is never; the empty environment
                        holds for all that have no row
    team_roles          which PostgreSQL role reads the places of which team
"""

from __future__ import annotations

from typing import Any

VERSION = 1


def upgrade(op: Any, sa: Any) -> None:
    """:param op: Alembic's operations
    :param sa: SQLAlchemy
    """
    _make_clusters(op, sa)
    _make_controls(op, sa)
    _make_runs(op, sa)
    _make_states(op, sa)
    _make_documents(op, sa)
    _make_fleet(op, sa)


def _number(sa: Any, name: str, to: str = "", null: bool = False) -> Any:
    """A reference to a row, or a number of less than two thousand millions."""
    keys = [sa.ForeignKey(to)] if to else []
    return sa.Column(name, sa.Integer, *keys, nullable=null)


def _key(sa: Any) -> Any:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _time(sa: Any, name: str, null: bool = False) -> Any:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _text(sa: Any, *names: str, null: bool = False) -> list[Any]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _bytes(sa: Any, name: str) -> Any:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _keyed(sa: Any, *names: str) -> Any:
    return sa.PrimaryKeyConstraint(*names)


def _make_clusters(op: Any, sa: Any) -> None:
    op.create_table("store", *_text(sa, "name", "value"), _keyed(sa, "name"), sqlite_with_rowid=False)
    op.create_table(
        "clusters",
        _key(sa),
        *_text(sa, "name", "uid"),
        _time(sa, "told_at"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "namespaces",
        _key(sa),
        _number(sa, "cluster_id", "clusters.id"),
        *_text(sa, "name", "team", "environment"),
        _time(sa, "told_at"),
        sa.UniqueConstraint("cluster_id", "name"),
    )
    op.create_table(
        "places",
        _key(sa),
        _number(sa, "namespace_id", "namespaces.id"),
        *_text(sa, "workload_kind", "workload", "container", "container_kind", "place"),
        _time(sa, "first_present"),
        _time(sa, "last_present"),
        _time(sa, "last_at", null=True),
        _time(sa, "last_seen", null=True),
        _time(sa, "gone_at", null=True),
        sa.UniqueConstraint("place"),
    )
    op.create_index("places_of_namespace", "places", ["namespace_id"])


def _make_controls(op: Any, sa: Any) -> None:
    op.create_table(
        "profiles",
        _key(sa),
        *_text(sa, "name", "version", "sha256", "title"),
        sa.UniqueConstraint("name", "sha256"),
    )
    op.create_table(
        "controls", _key(sa), *_text(sa, "profile", "control"), sa.UniqueConstraint("profile", "control")
    )
    op.create_table(
        "control_texts",
        _number(sa, "profile_id", "profiles.id"),
        _number(sa, "control_id", "controls.id"),
        *_text(sa, "title", "severity", "description", "fix", "tags"),
        _keyed(sa, "profile_id", "control_id"),
        sqlite_with_rowid=False,
    )


def _make_runs(op: Any, sa: Any) -> None:
    op.create_table(
        "runs",
        _key(sa),
        _number(sa, "cluster_id", "clusters.id"),
        *_text(sa, "run_id"),
        _time(sa, "started"),
        _time(sa, "finished"),
        sa.Column("duration", sa.Float, nullable=False),
        *_text(sa, "targets_sha256", "collection", "collector", "amendments_sha256", "inputs_sha256"),
        *_text(sa, "selection", "covers", "profiles", "judged_from", "gate", "state", "refused"),
        *(_number(sa, name) for name in ("expected", "scanned", "not_scanned", "not_judged", "carried")),
        _number(sa, "places"),
        sa.UniqueConstraint("cluster_id", "run_id"),
    )
    op.create_index("runs_by_time", "runs", ["started"])
    op.create_table(
        "causes",
        _key(sa),
        *_text(sa, "code", "reason", "message"),
        sa.UniqueConstraint("code", "reason", "message"),
    )
    op.create_table(
        "gaps",
        _number(sa, "run_id", "runs.id"),
        *_text(sa, "kind", "namespace", "name"),
        _number(sa, "cause_id", "causes.id"),
        _keyed(sa, "run_id", "kind", "namespace", "name"),
    )


def _make_states(op: Any, sa: Any) -> None:
    counts = ("passed", "failed", "not_reviewed", "not_applicable", "profile_error")
    op.create_table("images", _key(sa), *_text(sa, "image", "digest"), sa.UniqueConstraint("image", "digest"))
    op.create_table(
        "states",
        _key(sa),
        _bytes(sa, "sha256"),
        _bytes(sa, "body"),
        *(_number(sa, name) for name in counts),
        *_text(sa, "worst_failed", "evidence"),
        _number(sa, "containers"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "state_images",
        _number(sa, "state_id", "states.id"),
        _number(sa, "image_id", "images.id"),
        _keyed(sa, "state_id", "image_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "state_profiles",
        _number(sa, "state_id", "states.id"),
        _number(sa, "profile_id", "profiles.id"),
        *(_number(sa, name) for name in counts),
        _keyed(sa, "state_id", "profile_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scans",
        _number(sa, "place_id", "places.id"),
        _number(sa, "run_id", "runs.id"),
        _number(sa, "state_id", "states.id"),
        _time(sa, "seen"),
        sa.Column("carried", sa.SmallInteger, nullable=False),
        _keyed(sa, "place_id", "run_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "place_states",
        _number(sa, "place_id", "places.id"),
        _time(sa, "since"),
        _time(sa, "until", null=True),
        _number(sa, "state_id", "states.id"),
        _keyed(sa, "place_id", "since"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "findings",
        _number(sa, "place_id", "places.id"),
        _number(sa, "control_id", "controls.id"),
        _time(sa, "since"),
        _time(sa, "until", null=True),
        _time(sa, "opened", null=True),
        *_text(sa, "status", "severity", "began"),
        *_text(sa, "became", null=True),
        sa.Column("waived", sa.SmallInteger, nullable=False),
        _number(sa, "containers"),
        *_text(sa, "said"),
        _keyed(sa, "place_id", "control_id", "since"),
        sqlite_with_rowid=False,
    )
    still = sa.text("until IS NULL")
    op.create_index("findings_now", "findings", ["status"], sqlite_where=still, postgresql_where=still)
    op.create_table(
        "not_scanned",
        _number(sa, "run_id", "runs.id"),
        _number(sa, "place_id", "places.id"),
        _number(sa, "cause_id", "causes.id"),
        _number(sa, "containers"),
        _keyed(sa, "run_id", "place_id"),
        sqlite_with_rowid=False,
    )


def _make_documents(op: Any, sa: Any) -> None:
    op.create_table(
        "targets",
        _key(sa),
        _number(sa, "place_id", "places.id"),
        *_text(sa, "target_id"),
        sa.UniqueConstraint("target_id"),
    )
    op.create_index("targets_of_place", "targets", ["place_id"])
    for name in ("pieces", "templates"):
        op.create_table(
            name, _key(sa), _bytes(sa, "sha256"), _bytes(sa, "body"), sa.UniqueConstraint("sha256")
        )
    op.create_table(
        "documents",
        _number(sa, "target_id", "targets.id"),
        _number(sa, "run_id", "runs.id"),
        _bytes(sa, "sha256"),
        _number(sa, "template_id", "templates.id"),
        _bytes(sa, "holes"),
        _keyed(sa, "target_id", "run_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "known_results",
        _number(sa, "place_id", "places.id"),
        _number(sa, "run_id", "runs.id"),
        _bytes(sa, "body"),
        _keyed(sa, "place_id"),
    )


def _make_fleet(op: Any, sa: Any) -> None:
    op.create_table(
        "fleet_runs",
        _key(sa),
        *_text(sa, "fleet_run_id"),
        _time(sa, "started"),
        _time(sa, "finished", null=True),
        _number(sa, "expected"),
        *_text(sa, "gate", "sha256"),
        _bytes(sa, "body"),
        sa.UniqueConstraint("fleet_run_id"),
    )
    op.create_table(
        "fleet_run_clusters",
        _number(sa, "fleet_run_id", "fleet_runs.id"),
        _number(sa, "cluster_id", "clusters.id"),
        *_text(sa, "state", "gate", "run_id"),
        _number(sa, "cause_id", "causes.id", null=True),
        *(_number(sa, name) for name in ("expected", "scanned", "judged", "carried")),
        _keyed(sa, "fleet_run_id", "cluster_id"),
    )
    op.create_table(
        "deadlines",
        *_text(sa, "environment", "kind"),
        _time(sa, "seconds", null=True),
        _keyed(sa, "environment", "kind"),
    )
    op.create_table("team_roles", *_text(sa, "role", "team"), _keyed(sa, "role"))
