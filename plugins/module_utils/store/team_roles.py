# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Teams in a store in PostgreSQL: a role of the server reads the places of its team, and nothing else.

Row-level security decides, for tables and views alike (the views have the rights of whoever asks). The owner of the tables, who
ingests, sees everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import ScanError
from .database import Database, Work

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Views see with the rights of whoever asks since this version.
OLDEST_SERVER = 150000
_OF_TEAM = (
    "team <> '' AND EXISTS (SELECT 1 FROM team_roles t JOIN pg_roles r ON r.rolname = t.role"
    " WHERE t.team = namespaces.team AND pg_has_role(r.oid, 'USAGE'))"
)
_OF_PLACE = "place_id IN (SELECT id FROM places)"
_OF_STATE = "state_id IN (SELECT state_id FROM place_states)"
# By table: which rows a team's role sees, and which columns (empty: all). A table that is not here, it does not see.
RULES: Mapping[str, tuple[str, str]] = {
    "team_roles": ("role IN (SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'USAGE'))", ""),
    "namespaces": (_OF_TEAM, ""),
    "clusters": ("id IN (SELECT cluster_id FROM namespaces)", "id, name"),
    "places": ("namespace_id IN (SELECT id FROM namespaces)", ""),
    "place_states": (_OF_PLACE, ""),
    "findings": (_OF_PLACE, ""),
    "scans": (_OF_PLACE, ""),
    "not_scanned": (_OF_PLACE, ""),
    "gaps": (
        "EXISTS (SELECT 1 FROM runs r JOIN namespaces n ON n.cluster_id = r.cluster_id"
        " WHERE r.id = gaps.run_id AND n.name = gaps.namespace)",
        "",
    ),
    "runs": ("cluster_id IN (SELECT id FROM clusters)", "id, cluster_id, run_id, started"),
    "causes": ("id IN (SELECT cause_id FROM not_scanned UNION SELECT cause_id FROM gaps)", ""),
    "states": (
        "id IN (SELECT state_id FROM place_states)",
        "id, passed, failed, not_reviewed, not_applicable, profile_error, worst_failed, evidence, containers",
    ),
    "state_images": (_OF_STATE, ""),
    "state_profiles": (_OF_STATE, ""),
    "images": ("id IN (SELECT image_id FROM state_images)", ""),
}
# What says nothing of anybody's places.
_FOR_ALL = ("store", "profiles", "controls", "control_texts", "deadlines")
TEAM_VIEWS = (
    "open_now",
    "finding_changes",
    "uncovered",
    "place_ages",
    "time_to_fix",
    "compliance_of_fleet",
    "compliance_by_cluster",
    "compliance_by_namespace",
    "compliance_by_team",
    "compliance_by_workload",
    "compliance_by_profile",
    "compliance_by_control",
    "image_places",
    "place_histories",
)


def set_team_roles(database: Database, roles: Mapping[str, str], check_mode: bool = False) -> bool:
    """Makes these the roles of teams; others see nothing any more.

    :param roles: role of the server -> team. A role that there is not is made, without the right to log in: grant it to logins
    :returns: whether that changes something
    :raises ScanError: bad_option, for SQLite, an old server and for what is no name of a role
    """
    for role, team in roles.items():
        if not _ROLE.fullmatch(role) or not team:
            raise _bad(
                f"{role[:70]!r} must be a role of lower-case letters, digits and underscores, with a team"
            )
    if database.is_sqlite:
        if not roles:
            return False
        raise _bad("only a store in PostgreSQL has roles; a file of SQLite is read as a whole or not at all")
    with database.write("set the roles of teams") as work:
        version = int(work.value("SHOW server_version_num"))
        if roles and version < OLDEST_SERVER:
            raise _bad(f"roles of teams need PostgreSQL 15 or newer, and the server is {version // 10000}")
        if work.value("SELECT CAST(current_user AS text)") in roles:
            raise _bad("the role that ingests owns the store, and is that of no team")
        there = {row["role"]: row["team"] for row in work.rows("SELECT role, team FROM team_roles")}
        missing = [
            role
            for role in sorted(roles)
            if not work.value("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role)
        ]
        if there == dict(roles) and not missing:
            return False
        if not check_mode:
            for role in missing:
                work.run(f"CREATE ROLE {role} NOLOGIN")
            for role in sorted(there.keys() - roles.keys()):
                _revoke(work, role)
            work.run("DELETE FROM team_roles")
            work.add("team_roles", [{"role": role, "team": team} for role, team in sorted(roles.items())])
            grant(work)
    return True


def set_rules(work: Work) -> None:
    """The rules of who sees which rows; of an owner of the tables they ask nothing."""
    for table, (condition, _columns) in RULES.items():
        work.run(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        work.run(f"DROP POLICY IF EXISTS of_team ON {table}")
        work.run(f"CREATE POLICY of_team ON {table} FOR SELECT USING ({condition})")


def grant(work: Work) -> None:
    """What each role of a team needs to read its rows."""
    schema = work.value("SELECT quote_ident(current_schema())")
    roles = [
        row["role"]
        for row in work.rows("SELECT t.role FROM team_roles t JOIN pg_roles r ON r.rolname = t.role")
        if _ROLE.fullmatch(row["role"])
    ]
    for role in roles:
        work.run(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        for table, (_condition, columns) in RULES.items():
            work.run(f"GRANT SELECT {f'({columns})' if columns else ''} ON {table} TO {role}")
        for name in (*_FOR_ALL, *TEAM_VIEWS):
            work.run(f"GRANT SELECT ON {name} TO {role}")


def _revoke(work: Work, role: str) -> None:
    if not _ROLE.fullmatch(role) or not work.value("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role):
        return
    for name in (*RULES, *_FOR_ALL, *TEAM_VIEWS):
        work.run(f"REVOKE ALL ON {name} FROM {role}")


def _bad(why: str) -> ScanError:
    return ScanError("bad_option", why, tried="reading the option team_roles")
