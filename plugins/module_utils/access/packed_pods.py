# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of an access as one text: some 30 characters for each, so that a task's result can hold thousands.

zlib over two parts, in base64: the length of the first in decimal and a line end, names by namespace in JSON,
and the uids in the same order, 16 bytes each: the API server's uids are UUIDs. Zeros stand for a pod that has
none yet. A pod over which another approach's rights are held stands as [name, approach].
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from .objects import PodRef
from .rights import RIGHTS

# More than a cluster's 150,000 pods take. What comes back from a playbook may be anything.
_MOST_BYTES = 64 << 20
_UID_BYTES = 16
_NO_UID = b"\0" * _UID_BYTES


def pack_pods(pods: Mapping[str, Sequence[PodRef]]) -> str:
    """The pods by namespace as one text.

    :raises ScanError: bad_reply, where a pod's uid is no UUID
    """
    names = json.dumps(
        {
            namespace: [[pod.name, pod.approach] if pod.approach else pod.name for pod in found]
            for namespace, found in pods.items()
        }
    ).encode("ascii")
    uids = b"".join(_uid_bytes(pod) for found in pods.values() for pod in found)
    return base64.b64encode(zlib.compress(b"%d\n%s%s" % (len(names), names, uids), 9)).decode("ascii")


def unpack_pods(text: str) -> dict[str, tuple[PodRef, ...]]:
    """The pods by namespace.

    :raises ValueError: this is no such text
    """
    names, uids = _parts(text)
    if len(uids) != _UID_BYTES * sum(len(found) for found in names.values()):
        raise ValueError("packed_pods has not as many uids as names")
    taken = _uids(uids)
    return {
        namespace: tuple(_pod_ref(name, next(taken)) for name in found) for namespace, found in names.items()
    }


def _pod_ref(name: Any, uid: str) -> PodRef:
    if isinstance(name, str):
        return PodRef(name, uid)
    if (
        isinstance(name, list)
        and len(name) == 2
        and all(isinstance(part, str) for part in name)
        and name[1] in RIGHTS
    ):
        return PodRef(name[0], uid, name[1])
    raise ValueError("packed_pods has an entry that is no pod")


def _parts(text: str) -> tuple[Mapping[str, list[Any]], bytes]:
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
        if not unpacker.eof:
            raise ValueError("cut off or too long")
        length, _end, rest = content.partition(b"\n")
        names = json.loads(rest[: int(length)])
        if not isinstance(names, dict) or not all(isinstance(found, list) for found in names.values()):
            raise ValueError("names by namespace are missing")
        return names, rest[int(length) :]
    except (binascii.Error, zlib.error, ValueError, TypeError) as error:
        raise ValueError(f"packed_pods ({error})") from error


def _uid_bytes(pod: PodRef) -> bytes:
    if not pod.uid:
        return _NO_UID
    try:
        value = uuid.UUID(pod.uid)
        if str(value) == pod.uid:
            return value.bytes
    except ValueError:
        pass
    raise ScanError(
        "bad_reply",
        f"pod {pod.name} has the uid {pod.uid[:80]!r}, which is no UUID",
        tried="describing the access",
    )


def _uids(content: bytes) -> Iterator[str]:
    for start in range(0, len(content), _UID_BYTES):
        value = content[start : start + _UID_BYTES]
        yield "" if value == _NO_UID else str(uuid.UUID(bytes=value))
