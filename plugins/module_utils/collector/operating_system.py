# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""os: which distribution the container's image is of, named as InSpec's os resource names it.

Names, families and where a release comes from follow Train's detection of Linux platforms, so that a
profile's `supports` and `only_if` decide as InSpec's users expect. /etc/os-release must be there, or
/usr/lib/os-release, or one of the older release files; otherwise the fact is unsupported. A distribution that
Train does not know keeps its own ID as its name, where Train says "linux"; its family comes from ID_LIKE.
"""

from __future__ import annotations

import re

from .facts import ABSENT, OK, UNSUPPORTED, Fact, Query
from .family import Answer, Family, NotOkError, call
from .frames import decode_text
from .query_rules import NO_SUBJECT

# kernels from 6.1 on tell the architecture without a program
_SHELL = r"""
os() {
  text=
  if [ -e /proc/sys/kernel/arch ]; then read -r text </proc/sys/kernel/arch
  elif has uname; then text=$(uname -m)
  elif [ "${BASH_VERSION-}" ]; then text=$HOSTTYPE
  fi
  put "q$1" ok text "$text"
  os__file=/etc/os-release
  look $os__file || [ $status != absent ] || os__file=/usr/lib/os-release
  os_part $1.os-release $os__file
  for os__release in redhat-release alpine-release debian_version; do os_part $1.$os__release /etc/$os__release; done
}
os_part() {
  plain $1 $2 16384 || return
  if slurp "$path" 16384 && [ ${#text} -le 16384 ]; then put q$1 ok text "$text"
  else put q$1 unreadable text "$2 cannot be read"
  fi
}
"""

_NAMES = {
    "rhel": "redhat",
    "ol": "oracle",
    "amzn": "amazon",
    "sles": "suse",
    "sled": "suse",
    "opensuse-leap": "opensuse",
    "opensuse-tumbleweed": "opensuse",
}
_FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "kali": "debian",
    "linuxmint": "debian",
    "raspbian": "debian",
    "fedora": "fedora",
    "suse": "suse",
    "opensuse": "suse",
    "wolfi": "chainguard",
    "chainguard": "chainguard",
    "redhat": "redhat",
    "centos": "redhat",
    "oracle": "redhat",
    "amazon": "redhat",
    "rocky": "redhat",
    "almalinux": "redhat",
    "scientific": "redhat",
    "cloudlinux": "redhat",
}
_ALIKE = {
    "debian": "debian",
    "ubuntu": "debian",
    "rhel": "redhat",
    "centos": "redhat",
    "fedora": "redhat",
    "suse": "suse",
}


def _read_os(answer: Answer, query: Query) -> Fact:
    arch = decode_text(answer.get_own().strip()) or None
    named = _read_part(answer, "os-release")
    older = {
        "redhat": _read_part(answer, "redhat-release"),
        "alpine": _read_part(answer, "alpine-release"),
        "debian": _read_part(answer, "debian_version"),
    }
    if named is None and not any(older.values()):
        return Fact(UNSUPPORTED, cause="the image has no os-release and no older release file")
    fields = _parse_os_release(named or "")
    name = _find_name(fields, older)
    family = _FAMILIES.get(name) or next(
        (_ALIKE[like] for like in fields.get("ID_LIKE", "").lower().split() if like in _ALIKE), "linux"
    )
    pretty = fields.get("PRETTY_NAME") or fields.get("NAME") or (older["redhat"] or name).strip()
    return Fact(
        OK,
        {
            "name": name,
            "family": family,
            "release": _find_release(name, family, fields, older),
            "arch": arch,
            "pretty": pretty,
        },
    )


_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)


def _read_part(answer: Answer, part: str) -> str | None:
    """The text of a release file, None where it is absent; raises NotOkError where it is there and was not
    read."""
    try:
        return decode_text(answer.get_part(part))
    except NotOkError as error:
        if error.frame.status == ABSENT:
            return None
        raise


def _parse_os_release(text: str) -> dict[str, str]:
    """Shell assignments as os-release(5) allows them: one per line, perhaps quoted; nothing is expanded."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        # without the blanks around it: a pattern for these takes the square of their number
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match is not None:
            value = match.group(2)
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            fields[match.group(1)] = re.sub(r"\\([\\\"'$`])", r"\1", value)
    return fields


def _find_name(fields: dict[str, str], older: dict[str, str | None]) -> str:
    own = fields.get("ID", "").lower()
    if own:
        return _NAMES.get(own, own)
    if older["redhat"]:
        first = re.match(r"red hat|\w+", older["redhat"].lower())
        return first.group().replace(" ", "") if first is not None else "redhat"
    return "alpine" if older["alpine"] else "debian" if older["debian"] else "linux"


def _find_release(name: str, family: str, fields: dict[str, str], older: dict[str, str | None]) -> str | None:
    version = fields.get("VERSION_ID") or None
    if name in ("debian", "raspbian"):
        return (older["debian"] or "").strip() or version
    if name == "alpine":
        return (older["alpine"] or "").strip() or version
    if name == "kali" or family == "suse":
        return fields.get("VERSION") or version
    release = re.search(r"release ([0-9.]+)", older["redhat"] or "") if family == "redhat" else None
    return release.group(1) if release is not None else version


OS = Family(
    subject=NO_SUBJECT,
    value='{"name": str, "family": str, "release": str or None (a rolling or unstable distribution), "arch": str or None '
    '(the container does not tell it), "pretty": str}',
    calls=call("os"),
    read=_read_os,
    shell=_SHELL,
    uses=("slurp",),
    programs=("uname", "readlink", "stat"),
    parts=("os-release", "redhat-release", "alpine-release", "debian_version"),
    stat_paths=lambda query: ("/etc/os-release", "/usr/lib/os-release"),
)
