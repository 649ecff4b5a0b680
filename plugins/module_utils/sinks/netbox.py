# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetBox: what it holds is told how the places stand that are its parts, in custom fields and, when that changes, in its journal.

    securescan_status   the worst word of the object's places: failed, profile_error, not_scanned, not_reviewed, passed
    securescan_failed   how many controls fail on them
    securescan_seen     when the newest run of them started
    securescan_places   each place with its own word, its failures and the run that they are from

Which object a place belongs to is said by the operator's file (results/configuration_items.py). A run changes the places that it
has looked at, and takes those away that it would have found; places of other runs stay. A run that is older than what stands
there changes nothing. Objects are never made.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import ScanError
from ..network.http_client import HttpError
from ..reports.event import Event, finding_events
from ..results.configuration_items import read_configuration_items
from ..results.coverage import Coverage
from ..results.place import Place
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, NOT_SCANNED, PASSED, PROFILE_ERROR
from ..results.target_record import ErrorRecord
from ..safe_text import one_line
from .answers import bad_option, bad_reply, refused, reply_object
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import ALREADY_THERE, Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

_LIMITS = Limits(items=50, bytes=16 * 1024 * 1024)
_REPLY_BYTES = 8 * 1024 * 1024
_MOST_PLACES = 2000
_MOST_NAME = 600
_MOST_SHOWN = 50
_ATTEMPTS = 3
# object_type -> (where the API has them, what NetBox calls the type)
_TYPES = {
    "virtual_machine": ("/api/virtualization/virtual-machines/", "virtualization.virtualmachine"),
    "cluster": ("/api/virtualization/clusters/", "virtualization.cluster"),
    "device": ("/api/dcim/devices/", "dcim.device"),
}
_JOURNAL = "/api/extras/journal-entries/"
_FIELDS_PATH = "/api/extras/custom-fields/"
_STATUS, _FAILED, _SEEN, _PLACES = (
    "securescan_status",
    "securescan_failed",
    "securescan_seen",
    "securescan_places",
)
# The custom fields with their types and labels.
FIELDS: Mapping[str, tuple[str, str]] = {
    _STATUS: ("text", "Compliance"),
    _FAILED: ("integer", "Controls that fail"),
    _SEEN: ("datetime", "Compliance as of"),
    _PLACES: ("json", "Compliance by container"),
}
# Of a place: what was not seen goes before what was not reviewed, and only what is left can have passed.
_WORST_FIRST = (FAILED, PROFILE_ERROR, NOT_SCANNED, NOT_REVIEWED, PASSED, NOT_APPLICABLE)
_KINDS = {FAILED: "danger", PROFILE_ERROR: "warning", NOT_SCANNED: "warning", PASSED: "success"}
# Of one object; the others can still be written.
_OF_ONE = frozenset({"not_found", "not_permitted", "conflict", "invalid_request"})
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_NO_FIELDS = "Make them as the guide on sinks lists them, or give make_fields with a token that may make custom fields."
_NO_OBJECT = (
    "Correct the item in the file of configuration items, or let NetBox have the object; nothing makes it."
)


class NetBox(HttpSink):
    """Writes to objects of one type."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        token = options.needed("token")
        if not own["configuration_items"]:
            raise bad_option("configuration_items", "configuration_items is needed for NetBox")
        kind = own["object_type"] or "virtual_machine"
        if kind not in _TYPES:
            raise bad_option("object_type", f"object_type is one of {', '.join(_TYPES)}")
        self._items = read_configuration_items(str(own["configuration_items"]))
        self._kind = kind.replace("_", " ")
        self._path, self._type = _TYPES[kind]
        self._make_fields = bool(own["make_fields"])
        self._ids: dict[str, str] = {}
        self.secrets: Sequence[str] = (token,)
        # tokens of version 2 say so themselves
        scheme = "Bearer" if token.startswith("nbt_") else "Token"
        self._http = HttpSender(options, {"Authorization": f"{scheme} {token}"}, self.secrets)
        self.destination = f"{options.url.rstrip('/')} {self._type}"
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        """One for each object that the file names for the cluster of the run."""
        run = pushed.run
        coverage = Coverage.of(run)
        by_item: dict[str, dict[str, Any]] = {}
        for _place, of_place in itertools.groupby(
            finding_events(run), lambda event: event.target.record.place_id
        ):
            events = list(of_place)
            record = events[0].target.record
            item = self._items.of(Place.of(record))
            # a name that gave no container is no place
            if item and record.namespace and record.workload and record.container:
                by_item.setdefault(item, {})[_plain(record.place_id)] = _entry(run, events)
        if coverage:
            for item in self._items.of_cluster(run.cluster):
                by_item.setdefault(item, {})
        for item, places in by_item.items():
            body = {
                "item": item,
                "cluster": _plain(run.cluster),
                "run": run.run_id,
                "started": run.started,
                "coverage": coverage.text if coverage else "",
                "places": places,
            }
            key = item_key(run.run_id, "netbox", item)
            yield Item(key, item, run.run_id, body=json.dumps(body, separators=(",", ":")).encode("ascii"))

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        return [self._sent(item) for item in batch]

    def _sent(self, item: Item) -> Outcome:
        told = json.loads(item.body)
        number = self._find(told["item"])
        if isinstance(number, ErrorRecord):
            # what had no part of it is not missed
            return number if told["places"] else ALREADY_THERE
        try:
            for _attempt in range(_ATTEMPTS):
                try:
                    return self._write(item, told, f"{self._path}{number}/", int(number))
                except HttpError as error:
                    if error.status != 412:  # somebody has written to the object since it was read
                        raise
        except HttpError as error:
            if error.reason not in _OF_ONE:
                raise
            return ErrorRecord(**error.record())
        return refused("throttled", "others write to the object at the same time", f"PATCH {self._path}")

    def _write(self, item: Item, told: Mapping[str, Any], path: str, number: int) -> Outcome:
        """Reads the object, and writes what differs."""
        values, tag = self._read(path)
        before = _places(values.get(_PLACES))
        after = _merged(before, told)
        if len(after) > _MOST_PLACES:
            return refused(
                "invalid_request",
                f"it has {len(after)} places; at most {_MOST_PLACES} are kept",
                f"PATCH {path}",
            )
        new = _fields(after)
        if before == after and all(_same(values.get(name), new[name]) for name in (_STATUS, _FAILED)):
            return ALREADY_THERE
        if (values.get(_STATUS), values.get(_FAILED)) != (new[_STATUS], new[_FAILED]):
            # before the fields: a push that is killed in between finds its entry, and still writes the fields
            self._write_journal(item, number, _comment(item.key, values, new, after, told))
        headers = {"If-Match": tag} if tag else {}
        self._ask("PATCH", path, {"custom_fields": new}, headers)
        return None

    def _read(self, path: str) -> tuple[Mapping[str, Any], str]:
        """The custom fields of an object, and by what NetBox knows that nobody has changed it since (4.6 and newer)."""
        for is_second in (False, True):
            reply = self._http.send("GET", path, headers=_JSON, limit=_REPLY_BYTES)
            values = reply_object(reply.body, f"GET {path}").get("custom_fields")
            if not isinstance(values, dict):
                raise bad_reply("the object has no custom_fields", f"GET {path}")
            missing = [name for name in FIELDS if name not in values]
            if not missing:
                return values, reply.headers.get("etag", "")
            if is_second or not self._make_fields:
                break
            for name in missing:
                self._make_field(name)
        raise ScanError(
            "bad_option",
            f"the {self._kind} has no custom field {', '.join(missing)}",
            tried=f"GET {path}",
            cause="NetBox has no such fields for objects of this type.",
            advice=_NO_FIELDS,
        )

    def _make_field(self, name: str) -> None:
        """Makes a custom field, or lets one that other types of objects have be one of this type, too."""
        found = self._ask("GET", f"{_FIELDS_PATH}?{urlencode({'name': name})}").get("results")
        if isinstance(found, list) and found and isinstance(found[0], dict):
            types = [*(found[0].get("object_types") or ()), self._type]
            self._ask("PATCH", f"{_FIELDS_PATH}{int(found[0]['id'])}/", {"object_types": types})
            return
        kind, label = FIELDS[name]
        made = {
            "name": name,
            "label": label,
            "type": kind,
            "object_types": [self._type],
            "group_name": "securescan",
        }
        self._ask("POST", _FIELDS_PATH, {**made, "ui_editable": "no"})

    def _find(self, item: str) -> str | ErrorRecord:
        """The number of the object that NetBox calls so, or why it is none. All digits are such a number already."""
        if item.isascii() and item.isdigit():
            return item
        if item not in self._ids:
            query = urlencode({"name": item, "limit": 2, "brief": "true"}, quote_via=quote)
            found = self._ask("GET", f"{self._path}?{query}").get("results")
            named = [
                one
                for one in (found if isinstance(found, list) else ())
                if isinstance(one, dict) and one.get("name") == item
            ]
            if len(named) != 1 or not isinstance(named[0].get("id"), int):
                why = (
                    f"NetBox has no {self._kind} with this name, or does not show it"
                    if not named
                    else (f"NetBox has several objects with this name ({self._kind}): name it by its number")
                )
                error = ScanError(
                    "not_found",
                    why,
                    tried=f"GET {self._path}",
                    cause="The item names no single object.",
                    advice=_NO_OBJECT,
                )
                return ErrorRecord(**error.record())
            self._ids[item] = str(named[0]["id"])
        return self._ids[item]

    def _write_journal(self, item: Item, number: int, comment: str) -> None:
        """Once for each item that is sent."""
        of_object = {"assigned_object_type": self._type, "assigned_object_id": number}
        query = urlencode({**of_object, "q": item.key, "limit": 1})
        found = self._ask("GET", f"{_JOURNAL}?{query}").get("results")
        if isinstance(found, list) and any(
            isinstance(one, dict) and item.key in str(one.get("comments")) for one in found
        ):
            return
        status = comment.partition("**")[2].partition("**")[0]
        self._ask("POST", _JOURNAL, {**of_object, "kind": _KINDS.get(status, "info"), "comments": comment})

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode("ascii")
        reply = self._http.send(
            method, path, headers={**_JSON, **(headers or {})}, body=data, limit=_REPLY_BYTES
        )
        return reply_object(reply.body, f"{method} {path.partition('?')[0]}")


def _entry(run: Run, events: Sequence[Event]) -> dict[str, Any]:
    """How a place stands in a run."""
    words = [NOT_SCANNED if event.verdict is None else event.verdict.status for event in events]
    record = events[0].target.record
    return {
        "status": min(words, key=_WORST_FIRST.index),
        "failed": words.count(FAILED),
        "run": run.run_id,
        "started": run.started,
        "kind": record.container_kind or "container",
        "image": _plain(record.image_digest or record.image),
    }


def _places(value: Any) -> dict[str, dict[str, Any]]:
    """What stands in the field. What is none of ours is left out, and so replaced."""
    return {
        str(place): dict(entry)
        for place, entry in (value.items() if isinstance(value, dict) else ())
        if isinstance(entry, dict)
        and entry.get("status") in _WORST_FIRST
        and isinstance(entry.get("failed"), int)
        and all(isinstance(entry.get(name), str) for name in ("run", "started", "kind"))
    }


def _merged(before: Mapping[str, dict[str, Any]], told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The places of the object after a run: those that it has seen, and of the others those that are not gone."""
    after = {place: entry for place, entry in before.items() if not _is_gone(place, entry, told)}
    for place, entry in told["places"].items():
        if place not in before or before[place]["started"] <= entry["started"]:
            after[place] = entry
    return after


def _is_gone(place: str, entry: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether the run would have found the place, and has not."""
    coverage = Coverage.of_text(told["coverage"])
    cluster, namespace, *_rest = [*place.rsplit("/", 4), ""]
    return (
        coverage is not None
        and place not in told["places"]
        and cluster == told["cluster"]
        and entry["started"] <= told["started"]
        and coverage.has(namespace, entry["kind"])
    )


def _fields(places: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of the custom fields; all of them empty for an object without places."""
    if not places:
        return dict.fromkeys(FIELDS)
    status = min((entry["status"] for entry in places.values()), key=_WORST_FIRST.index)
    return {
        _STATUS: status,
        _FAILED: sum(entry["failed"] for entry in places.values()),
        _SEEN: max(entry["started"] for entry in places.values()),
        _PLACES: places,
    }


def _same(one: Any, other: Any) -> bool:
    return bool((one or None) == (other or None))


def _comment(
    key: str,
    values: Mapping[str, Any],
    new: Mapping[str, Any],
    places: Mapping[str, Any],
    told: Mapping[str, Any],
) -> str:
    """What the journal says, in Markdown: names that come out of clusters stand in spans of code."""
    was = one_line(str(values.get(_STATUS) or "not known"), 40).replace("`", "'")
    lines = [
        f"Compliance: **{new[_STATUS] or 'not known'}**, before `{was}`. Controls that fail: {new[_FAILED] or 0}.",
        "",
    ]
    worst = sorted(places.items(), key=lambda one: (_WORST_FIRST.index(one[1]["status"]), one[0]))
    lines += [
        f"- `{_code(place)}`: {entry['status']}, {entry['failed']} fail"
        for place, entry in worst[:_MOST_SHOWN]
    ]
    if len(worst) > _MOST_SHOWN:
        lines.append(f"- and {len(worst) - _MOST_SHOWN} more")
    return "\n".join([*lines, "", f"Run `{_code(told['run'])}`, `securescan-key {key}`"])


def _code(text: str) -> str:
    return _plain(text).replace("`", "'")


def _plain(text: str) -> str:
    return one_line(text, _MOST_NAME)


NETBOX = SinkKind(
    "netbox",
    {
        "configuration_items": {"type": "path"},
        "object_type": {"type": "str", "choices": list(_TYPES)},
        "make_fields": {"type": "bool"},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS),
    NetBox,
)
