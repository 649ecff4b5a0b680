# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's /api/v2/ as far as awx.awx asks it for what the role awx makes: required fields, unique names, objects that others
name, surveys, types of credentials and their injectors, schedules, and which roles let a user see and start what.

No AWX server is to be had here. The rules are those of AWX 24 as its sources state them; what is not asked is not here.
"""

from __future__ import annotations

import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .awx_rules import (
    Refused,
    accepted_prompts,
    check_credential,
    check_credential_type,
    check_notification,
    check_playbook,
    check_rrule,
    check_survey,
    hidden,
)

Object = dict[str, Any]
ADMIN = "awx-admin-token-0815"
_EVENTS = ("started", "success", "error")


@dataclass(frozen=True)
class Kind:
    """:ivar fields: each with the value that it has when nothing is given
    :ivar refers: fields that name an object of another kind
    :ivar joined: lists of other objects, as paths behind the object's own
    :ivar unique: what two objects cannot have in common
    :ivar roles: what can be granted on it
    """

    type: str
    fields: dict[str, Any]
    required: tuple[str, ...] = ("name",)
    refers: dict[str, str] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ("name",)
    roles: tuple[str, ...] = ()


_TOLD = {f"notification_templates_{event}": "notification_templates" for event in _EVENTS}
_PROMPTS = {
    f"ask_{name}_on_launch": False
    for name in (
        "variables",
        "limit",
        "tags",
        "skip_tags",
        "job_type",
        "verbosity",
        "inventory",
        "credential",
        "execution_environment",
        "forks",
        "instance_groups",
        "job_slice_count",
        "labels",
        "timeout",
        "diff_mode",
        "scm_branch",
    )
}
_NAMED = {"name": "", "description": ""}
KINDS: dict[str, Kind] = {
    "organizations": Kind(
        "organization",
        {**_NAMED, "max_hosts": 0, "default_environment": None},
        joined={**_TOLD, "notification_templates_approvals": "notification_templates"},
        roles=("admin", "execute", "member", "read", "approval"),
    ),
    "credential_types": Kind(
        "credential_type",
        {**_NAMED, "kind": "", "managed": False, "inputs": {}, "injectors": {}},
        required=("name", "kind"),
        unique=("name", "kind"),
    ),
    "credentials": Kind(
        "credential",
        {**_NAMED, "organization": None, "credential_type": None, "inputs": {}},
        required=("name", "credential_type"),
        refers={"organization": "organizations", "credential_type": "credential_types"},
        unique=("name", "organization", "credential_type"),
        roles=("admin", "use", "read"),
    ),
    "execution_environments": Kind(
        "execution_environment",
        {**_NAMED, "image": "", "pull": "", "organization": None, "credential": None},
        required=("name", "image"),
        refers={"organization": "organizations", "credential": "credentials"},
    ),
    "notification_templates": Kind(
        "notification_template",
        {
            **_NAMED,
            "organization": None,
            "notification_type": "",
            "notification_configuration": {},
            "messages": {"started": None, "success": None, "error": None, "workflow_approval": None},
        },
        required=("name", "organization", "notification_type"),
        refers={"organization": "organizations"},
        unique=("name", "organization"),
    ),
    "instance_groups": Kind(
        "instance_group",
        {"name": "", "is_container_group": False, "credential": None, "pod_spec_override": ""},
        refers={"credential": "credentials"},
        joined={"instances": "instances"},
        roles=("admin", "use", "read"),
    ),
    "instances": Kind("instance", {"hostname": ""}, required=("hostname",), unique=("hostname",)),
    "projects": Kind(
        "project",
        {
            **_NAMED,
            "organization": None,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "scm_update_on_launch": False,
            "credential": None,
            "scm_revision": "0" * 40,
        },
        refers={"organization": "organizations", "credential": "credentials"},
        joined=_TOLD,
        unique=("name", "organization"),
        roles=("admin", "use", "update", "read"),
    ),
    "inventories": Kind(
        "inventory",
        {**_NAMED, "organization": None, "kind": "", "host_filter": None, "variables": ""},
        required=("name", "organization"),
        refers={"organization": "organizations"},
        joined={"instance_groups": "instance_groups"},
        unique=("name", "organization"),
        roles=("admin", "use", "update", "adhoc", "read"),
    ),
    "hosts": Kind(
        "host",
        {**_NAMED, "inventory": None, "enabled": True, "variables": ""},
        required=("name", "inventory"),
        refers={"inventory": "inventories"},
        unique=("name", "inventory"),
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **_NAMED,
            "inventory": None,
            "source": "",
            "source_path": "",
            "source_vars": "",
            "source_project": None,
            "credential": None,
            "execution_environment": None,
            "overwrite": False,
            "overwrite_vars": False,
            "update_on_launch": False,
            "update_cache_timeout": 0,
            "organization": None,
        },
        required=("name", "inventory", "source"),
        refers={
            "inventory": "inventories",
            "source_project": "projects",
            "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        joined=_TOLD,
        unique=("name", "inventory"),
    ),
    "teams": Kind(
        "team",
        {**_NAMED, "organization": None},
        required=("name", "organization"),
        refers={"organization": "organizations"},
        unique=("name", "organization"),
        roles=("admin", "member", "read"),
    ),
    "users": Kind("user", {"username": "", "is_superuser": False}, ("username",), unique=("username",)),
    "job_templates": Kind(
        "job_template",
        {
            **_NAMED,
            "organization": None,
            "job_type": "run",
            "inventory": None,
            "project": None,
            "playbook": "",
            "execution_environment": None,
            "forks": 0,
            "limit": "",
            "verbosity": 0,
            "extra_vars": "",
            "job_slice_count": 1,
            "allow_simultaneous": False,
            "survey_enabled": False,
            **_PROMPTS,
        },
        required=("name", "project", "playbook"),
        refers={
            "organization": "organizations",
            "inventory": "inventories",
            "project": "projects",
            "execution_environment": "execution_environments",
        },
        joined={"credentials": "credentials", "instance_groups": "instance_groups", **_TOLD},
        unique=("name", "organization"),
        roles=("admin", "execute", "read"),
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **_NAMED,
            "organization": None,
            "inventory": None,
            "limit": "",
            "extra_vars": "",
            "allow_simultaneous": False,
            "survey_enabled": False,
            **dict.fromkeys(_PROMPTS, False),
        },
        refers={"organization": "organizations", "inventory": "inventories"},
        joined={**_TOLD, "notification_templates_approvals": "notification_templates"},
        unique=("name", "organization"),
        roles=("admin", "execute", "approval", "read"),
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            "identifier": "",
            "workflow_job_template": None,
            "unified_job_template": None,
            "limit": None,
            "extra_data": {},
            "inventory": None,
            "all_parents_must_converge": False,
        },
        required=("workflow_job_template",),
        refers={"workflow_job_template": "workflow_job_templates"},
        joined={
            "success_nodes": "workflow_job_template_nodes",
            "failure_nodes": "workflow_job_template_nodes",
            "always_nodes": "workflow_job_template_nodes",
            "credentials": "credentials",
            "instance_groups": "instance_groups",
        },
        unique=("identifier", "workflow_job_template"),
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {**_NAMED, "timeout": 0}, unique=()),
    "schedules": Kind(
        "schedule",
        {**_NAMED, "rrule": "", "enabled": True, "unified_job_template": None, "extra_data": {}},
        required=("name", "rrule", "unified_job_template"),
        unique=("name", "unified_job_template"),
    ),
}
# What a schedule and a node start. In AWX they are one table, so an id names one of them.
_UNIFIED = ("job_templates", "workflow_job_templates", "projects", "inventory_sources")


@dataclass
class AwxDouble:
    """with AwxDouble(playbooks) as awx: ... awx.url ... awx.of("job_templates", name="securescan scan")

    :ivar playbooks: the paths that AWX finds in a project, after it has fetched it
    :ivar objects: by kind and id. Secrets stand in them as they were given; answers do not show them
    :ivar joined: (kind, id, list) -> ids
    :ivar granted: (kind, id, role) -> ids of teams
    :ivar members: name of a user -> ids of its teams; a user's token is token-NAME
    :ivar requests: (method, path) of all, and `writes` those that change something
    """

    playbooks: frozenset[str]
    objects: dict[str, dict[int, Object]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    surveys: dict[tuple[str, int], Object] = field(default_factory=dict)
    joined: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)
    granted: dict[tuple[str, int, str], set[int]] = field(default_factory=dict)
    members: dict[str, set[int]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    launched: list[Object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._last_id = 0
        self._listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> AwxDouble:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [one for one in self.requests if one[0] != "GET"]

    def of(self, kind: str, **fields: Any) -> Object:
        """The one object with these fields."""
        [found] = [
            one
            for one in self.objects[kind].values()
            if all(one.get(name) == value for name, value in fields.items())
        ]
        return found

    def survey_of(self, kind: str, one: Object) -> list[Object]:
        """The questions that a template asks."""
        return self.surveys.get((kind, one["id"]), {}).get("spec", []) if one["survey_enabled"] else []

    def joined_to(self, kind: str, number: int, name: str) -> list[Object]:
        return [
            self.objects[KINDS[kind].joined[name]][each] for each in self.joined.get((kind, number, name), [])
        ]

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # requests

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, user: str) -> tuple[int, Any]:
        parts = [part for part in path.split("/") if part][2:]
        with self._lock:
            self.requests.append((method, path))
            try:
                return self._routed(method, parts, query, body or {}, user)
            except Refused as refused:
                return refused.status, refused.body

    def _routed(
        self, method: str, parts: list[str], query: dict[str, str], body: Any, user: str
    ) -> tuple[int, Any]:
        if parts == ["me"]:
            return 200, _listed([{"username": user}])
        if parts == ["unified_job_templates"]:
            return 200, _listed(
                [
                    self._shown(kind, one)
                    for kind in _UNIFIED
                    for one in self._found(kind, query, user)
                    if query.get("type", KINDS[kind].type) == KINDS[kind].type
                ]
            )
        if parts[0] == "roles" and len(parts) == 3 and parts[2] == "teams":
            return self._role(method, parts[1], body, user)
        if parts[0] not in KINDS:
            raise Refused(404, {"detail": "Not found."})
        kind = parts[0]
        if len(parts) == 1:
            if method == "GET":
                return 200, _listed([self._shown(kind, one) for one in self._found(kind, query, user)])
            return 201, self._shown(kind, self._made(kind, body, user))
        one = self._one(kind, parts[1], user)
        if len(parts) == 2:
            return self._object(method, kind, one, body, user)
        return self._below(method, kind, one, parts[2], body, user)

    def _object(self, method: str, kind: str, one: Object, body: Any, user: str) -> tuple[int, Any]:
        if method == "GET":
            return 200, self._shown(kind, one)
        self._needs(user, kind, one["id"], "admin")
        if method == "PATCH":
            self._change(kind, one, body)
            return 200, self._shown(kind, one)
        if method == "DELETE":
            del self.objects[kind][one["id"]]
            return 204, None
        raise Refused(405, {"detail": f'Method "{method}" not allowed.'})

    def _below(self, method: str, kind: str, one: Object, name: str, body: Any, user: str) -> tuple[int, Any]:
        if name == "survey_spec" and kind in ("job_templates", "workflow_job_templates"):
            return self._survey(method, kind, one, body, user)
        if name == "launch" and method == "POST":
            self._needs(user, kind, one["id"], "execute")
            accepted = accepted_prompts(one, self.survey_of(kind, one), body)
            self.launched.append(
                {"kind": kind, "id": self.next_id(), "template": one["id"], "user": user, **accepted}
            )
            return 201, self.launched[-1]
        if name == "create_approval_template" and method == "POST":
            self._needs(user, "workflow_job_templates", one["workflow_job_template"], "admin")
            made = self._made("workflow_approval_templates", body, user)
            one["unified_job_template"] = made["id"]
            return 201, self._shown("workflow_approval_templates", made)
        if name not in KINDS[kind].joined:
            raise Refused(404, {"detail": "Not found."})
        of_kind, key = KINDS[kind].joined[name], (kind, one["id"], name)
        if method == "GET":
            return 200, _listed(
                [self._shown(of_kind, self.objects[of_kind][n]) for n in self.joined.get(key, [])]
            )
        self._needs(user, kind, one["id"], "admin")
        number = body.get("id")
        if number not in self.objects[of_kind]:
            raise Refused(400, {"detail": "Related object does not exist."})
        self._join(kind, one, name, number, bool(body.get("disassociate")))
        return 204, None

    def _join(self, kind: str, one: Object, name: str, number: int, is_off: bool) -> None:
        ids = self.joined.setdefault((kind, one["id"], name), [])
        if is_off:
            if number in ids:
                ids.remove(number)
            return
        if name == "credentials":
            types = {self.objects["credentials"][each]["credential_type"] for each in ids}
            if self.objects["credentials"][number]["credential_type"] in types:
                raise Refused(400, {"error": "Cannot assign multiple credentials of one type."})
        if kind == "workflow_job_template_nodes" and name in ("credentials", "instance_groups"):
            self._node_prompts(one, name.rstrip("s") if name == "credentials" else name)
        if kind == "workflow_job_template_nodes" and name.endswith("_nodes"):
            other = self.objects[kind][number]
            if other["workflow_job_template"] != one["workflow_job_template"]:
                raise Refused(400, {"Error": "Nodes of different workflows."})
            if self._leads(number, one["id"]):
                raise Refused(400, {"Error": "Cycle detected."})
        if number not in ids:
            ids.append(number)

    def _leads(self, begin: int, to: int) -> bool:
        if begin == to:
            return True
        return any(
            self._leads(each, to)
            for name in ("success_nodes", "failure_nodes", "always_nodes")
            for each in self.joined.get(("workflow_job_template_nodes", begin, name), [])
        )

    def _node_prompts(self, node: Object, prompt: str) -> None:
        """A node sets of its template only what that asks for."""
        template = self.unified(node["unified_job_template"])
        if template is None or not template[1].get(f"ask_{prompt}_on_launch"):
            raise Refused(400, {prompt: ["Field is not configured to prompt on launch."]})

    def unified(self, number: int | None) -> tuple[str, Object] | None:
        for kind in (*_UNIFIED, "workflow_approval_templates"):
            if number in self.objects[kind]:
                return kind, self.objects[kind][number]
        return None

    def _survey(self, method: str, kind: str, one: Object, body: Any, user: str) -> tuple[int, Any]:
        key = (kind, one["id"])
        self._needs(user, kind, one["id"], "read" if method == "GET" else "admin")
        if method == "GET":
            return 200, self.surveys.get(key, {})
        if method == "DELETE":
            self.surveys.pop(key, None)
            return 200, None
        check_survey(body)
        self.surveys[key] = body
        return 200, {}

    # roles

    def _role(self, method: str, number: str, body: Any, user: str) -> tuple[int, Any]:
        key = self._role_key(int(number))
        holders = self.granted.setdefault(key, set())
        if method == "GET":
            return 200, _listed(
                [self._shown("teams", self.objects["teams"][each]) for each in sorted(holders)]
            )
        self._needs(user, key[0], key[1], "admin")
        team = self._one("teams", str(body["id"]), user)
        if key[0] == "credentials" and self.objects[key[0]][key[1]]["organization"] != team["organization"]:
            raise Refused(
                400, {"detail": "You cannot grant credential access to a team of another organization"}
            )
        (holders.discard if body.get("disassociate") else holders.add)(team["id"])
        return 204, None

    def _role_ids(self, kind: str, number: int) -> dict[str, int]:
        # an id of its own for each role of each object, which can be read back
        names = list(KINDS)
        return {
            role: (number * len(names) + names.index(kind)) * 10 + place
            for place, role in enumerate(KINDS[kind].roles)
        }

    def _role_key(self, number: int) -> tuple[str, int, str]:
        names = list(KINDS)
        rest, place = divmod(number, 10)
        which, kind = divmod(rest, len(names))
        return names[kind], which, KINDS[names[kind]].roles[place]

    def _has(self, user: str, kind: str, number: int, role: str) -> bool:
        if user == "admin":
            return True
        teams = self.members.get(user, set())
        enough = {"read": KINDS[kind].roles, "execute": ("execute", "admin")}.get(role, (role, "admin"))
        return any(teams & self.granted.get((kind, number, each), set()) for each in enough) or (
            kind == "teams" and role == "read" and number in teams
        )

    def _needs(self, user: str, kind: str, number: int, role: str) -> None:
        if not self._has(user, kind, number, role):
            raise Refused(403, {"detail": "You do not have permission to perform this action."})

    # objects

    def _one(self, kind: str, number: str, user: str) -> Object:
        one = self.objects[kind].get(int(number) if number.isdigit() else 0)
        if one is None or not self._has(user, kind, one["id"], "read"):
            raise Refused(404, {"detail": "Not found."})
        return one

    def _found(self, kind: str, query: dict[str, str], user: str) -> Iterator[Object]:
        asked = {name: value for name, value in query.items() if name not in ("page", "page_size", "type")}
        for one in self.objects[kind].values():
            either = [name[4:] for name in asked if name.startswith("or__")]
            if either and not any(str(one.get(name)) == asked[f"or__{name}"] for name in either):
                continue
            both = {name: value for name, value in asked.items() if not name.startswith("or__")}
            unknown = [name for name in both if name not in KINDS[kind].fields]
            if unknown:
                raise Refused(400, {"detail": f"{KINDS[kind].type} has no field named '{unknown[0]}'"})
            if all(str(one.get(name)) == value for name, value in both.items()) and self._has(
                user, kind, one["id"], "read"
            ):
                yield one

    def _made(self, kind: str, body: Object, user: str) -> Object:
        if user != "admin":
            raise Refused(403, {"detail": "You do not have permission to perform this action."})
        missing = [name for name in KINDS[kind].required if body.get(name) in (None, "")]
        if missing:
            raise Refused(400, {name: ["This field is required."] for name in missing})
        one = {"id": self.next_id(), **json.loads(json.dumps(KINDS[kind].fields))}
        self._change(kind, one, body)
        self.objects[kind][one["id"]] = one
        return one

    def _change(self, kind: str, one: Object, body: Object) -> None:
        """All or nothing: the checks are made on a copy."""
        of = KINDS[kind]
        new = {**one, **{name: value for name, value in body.items() if name in of.fields}}
        if "inputs" in body and kind == "credentials":
            new["inputs"] = _kept_secrets(one["inputs"], body["inputs"])
        for name, other in of.refers.items():
            if new[name] is not None and new[name] not in self.objects[other]:
                raise Refused(400, {name: [f'Invalid pk "{new[name]}" - object does not exist.']})
        for other in self.objects[kind].values():
            if of.unique and other["id"] != one["id"] and all(other[n] == new[n] for n in of.unique):
                said = f"{of.type} with this ({', '.join(of.unique)}) combination already exists."
                raise Refused(400, {"__all__": [said]})
        check = _CHECKS.get(kind)
        if check:
            check(self, new)
        one.update(new)

    def _shown(self, kind: str, one: Object) -> Object:
        of = KINDS[kind]
        url = f"/api/v2/{kind}/{one['id']}/"
        shown = {**hidden(self, kind, one), "type": of.type, "url": url}
        related = {name: f"{url}{name}/" for name in of.joined}
        if kind in ("job_templates", "workflow_job_templates"):
            related["survey_spec"] = f"{url}survey_spec/"
        if kind == "workflow_job_template_nodes" and one["unified_job_template"]:
            started = self.unified(one["unified_job_template"])
            related["unified_job_template"] = f"/api/v2/{started[0]}/{started[1]['id']}/" if started else ""
        roles = {f"{role}_role": {"id": number} for role, number in self._role_ids(kind, one["id"]).items()}
        return {**shown, "related": related, "summary_fields": {"object_roles": roles}}


def _kept_secrets(old: Object, new: Object) -> Object:
    return {name: old.get(name, "") if value == "$encrypted$" else value for name, value in new.items()}


def _listed(results: list[Any]) -> Object:
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _of_node(awx: AwxDouble, node: Object) -> None:
    number = node["unified_job_template"]
    if number is not None and awx.unified(number) is None:
        raise Refused(400, {"unified_job_template": [f'Invalid pk "{number}" - object does not exist.']})
    template = awx.unified(number)
    for prompt in ("limit", "inventory"):
        if node[prompt] and not (template and template[1].get(f"ask_{prompt}_on_launch")):
            raise Refused(400, {prompt: ["Field is not configured to prompt on launch."]})


def _of_schedule(awx: AwxDouble, schedule: Object) -> None:
    if awx.unified(schedule["unified_job_template"]) is None:
        raise Refused(400, {"unified_job_template": ["object does not exist."]})
    check_rrule(schedule["rrule"])


_CHECKS: dict[str, Callable[[AwxDouble, Object], None]] = {
    "credential_types": lambda _awx, one: check_credential_type(one),
    "credentials": lambda awx, one: check_credential(one, awx.objects["credential_types"]),
    "notification_templates": lambda _awx, one: check_notification(one),
    "job_templates": lambda awx, one: check_playbook(one, awx.playbooks),
    "workflow_job_template_nodes": _of_node,
    "schedules": _of_schedule,
}


def _handler(awx: AwxDouble) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            address = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            token = re.sub("^Bearer ", "", self.headers.get("Authorization", ""))
            user = "admin" if token == ADMIN else token.removeprefix("token-")
            if user not in {"admin", *awx.members}:
                status, body = 401, {"detail": "Authentication credentials were not provided."}
            elif not address.path.startswith("/api/v2/"):
                status, body = 404, {"detail": "Not found."}
            else:
                query = dict(urllib.parse.parse_qsl(address.query))
                status, body = awx.answer(
                    self.command, address.path, query, json.loads(text) if text else None, user
                )
            said = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
