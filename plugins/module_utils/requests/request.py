# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request for a scan is, as whoever may send one writes it in JSON.

A request says what is to be looked at, never how: it names no approach, no image, no credential, no file and no threshold. These
are the operator's. Each text of it is of few characters, none of which means anything to a shell, to Jinja or to YAML, but for
`because` and `requested_by`, which are shown and otherwise not used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ScanError
from ..results.checked_json import JsonRecord
from ..safe_text import one_line
from ..strict_json import dump_json, load_json
from ..suggestions import unknown_name
from ..targets.criteria import Selection

SCAN, PREFLIGHT, HEALTH = "scan", "preflight", "health"
ACTIONS = (SCAN, PREFLIGHT, HEALTH)
MOST_BYTES = 64 * 1024
MOST_ITEMS = 64


@dataclass(frozen=True)
class RequestField:
    """`form` is a regular expression for the whole text, or for each text of a list. `most` is in characters.

    `is_shown_only`: any printable text is taken, because it is only shown.
    """

    name: str
    purpose: str
    form: str
    most: int
    is_list: bool = False
    is_shown_only: bool = False


_NAME = r"[-a-z0-9.*?]+"
FIELDS: tuple[RequestField, ...] = (
    RequestField("action", "what is to be done: scan, preflight or health", "|".join(ACTIONS), 16),
    RequestField("cluster", "the cluster's name in the inventory", r"[A-Za-z0-9][-A-Za-z0-9._]*", 253),
    RequestField("namespaces", "names or patterns of namespaces; a scan needs one", _NAME, 63, is_list=True),
    RequestField(
        "label_selectors",
        "label selectors over pods, as kubectl takes them",
        r"[-A-Za-z0-9._/=!,() ]+",
        500,
        is_list=True,
    ),
    RequestField(
        "workloads", "KIND/NAME, such as Deployment/api", r"[A-Za-z0-9*?]+/[-a-z0-9.*?]+", 317, is_list=True
    ),
    RequestField("pods", "names or patterns of pods", _NAME, 253, is_list=True),
    RequestField("containers", "names or patterns of containers", _NAME, 63, is_list=True),
    RequestField("images", "references or patterns of images", r"[-A-Za-z0-9._/:@*?]+", 1024, is_list=True),
    RequestField(
        "profiles",
        "names of profiles, of those that the operator allows; without it the operator's own choice",
        r"[a-z0-9][-a-z0-9]*",
        63,
        is_list=True,
    ),
    RequestField(
        "revision",
        "which state of the thing is meant, such as a digest or the number of a release; another one is another request",
        r"[-A-Za-z0-9._:@/+=]+",
        200,
    ),
    RequestField(
        "key",
        "the sender's own name for this message; a message with the same key is answered as the first one",
        r"[-A-Za-z0-9._:@/+=]+",
        200,
    ),
    RequestField("requested_by", "who asks; only shown", "", 200, is_shown_only=True),
    RequestField("because", "why; only shown", "", 500, is_shown_only=True),
)
_BY_NAME: Mapping[str, RequestField] = {field.name: field for field in FIELDS}
_NEEDED = ("cluster",)


@dataclass(frozen=True)
class Request(JsonRecord):
    """Lists and texts are empty where they are not given. `key` is the sender's; it is no part of what is asked for."""

    action: str
    cluster: str
    namespaces: tuple[str, ...] = ()
    label_selectors: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    revision: str = ""
    key: str = ""
    requested_by: str = ""
    because: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for two requests that ask for the same, whoever asks and in whatever order the names stand."""
        asked = {
            name: sorted(value) if isinstance(value, list) else value
            for name, value in self.to_json().items()
            if name not in _NOT_ASKED
        }
        return hashlib.sha256(dump_json(asked)).hexdigest()

    @property
    def given(self) -> dict[str, Any]:
        """What is not empty, as plain JSON values."""
        return {name: value for name, value in self.to_json().items() if value}


_NOT_ASKED = frozenset({"key", "requested_by", "because"})


def parse_request(data: str | bytes) -> Request:
    """The request in a JSON text. :raises ScanError: bad_request"""
    if len(data) > MOST_BYTES:
        raise bad_request(f"it has more than {MOST_BYTES // 1024} KiB")
    try:
        value = load_json(data)
    except (ValueError, RecursionError) as problem:
        raise bad_request(f"it is not JSON: {one_line(str(problem), 200)}") from None
    return read_request(value)


def read_request(value: object) -> Request:
    """The request in a JSON value. :raises ScanError: bad_request"""
    if not isinstance(value, Mapping):
        raise bad_request("it is not a JSON object")
    for name in value:
        if name not in _BY_NAME:
            raise bad_request(unknown_name("key", one_line(str(name), 80), _BY_NAME))
    for name in _NEEDED:
        if name not in value:
            raise bad_request(f"the key {name} is missing")
    request = Request(**{"action": SCAN, **{name: _read(_BY_NAME[name], value[name]) for name in value}})
    if request.action == SCAN and not request.namespaces:
        raise bad_request("a scan needs namespaces; ['*'] means all")
    _check_selection(request)
    return request


def bad_request(why: str) -> ScanError:
    return ScanError("bad_request", why, tried="reading a request")


def _read(field: RequestField, value: object) -> Any:
    if not field.is_list:
        return _text(field, value)
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise bad_request(f"{field.name} is not a list")
    if len(value) > MOST_ITEMS:
        raise bad_request(f"{field.name} has more than {MOST_ITEMS} items")
    return tuple(_text(field, item) for item in value)


def _text(field: RequestField, value: object) -> str:
    if not isinstance(value, str):
        raise bad_request(f"{field.name} must hold {'texts' if field.is_list else 'a text'}")
    if len(value) > field.most:
        raise bad_request(f"{field.name} has a text of more than {field.most} characters")
    if field.is_shown_only:
        return one_line(value, field.most)
    if not re.fullmatch(field.form, value):
        raise bad_request(f"{field.name}: {one_line(value, 80)!r} cannot be used; it must be {field.purpose}")
    return value


def _check_selection(request: Request) -> None:
    """What no container can meet is refused now: whoever asks is there now. :raises ScanError: bad_request"""
    if not request.namespaces:
        return
    try:
        Selection(
            namespaces=request.namespaces,
            label_selectors=request.label_selectors,
            workloads=request.workloads,
            pods=request.pods,
            containers=request.containers,
            images=request.images,
        )
    except ScanError as error:
        raise bad_request(error.message) from None
