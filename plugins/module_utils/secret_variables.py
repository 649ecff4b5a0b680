# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a variable with its value is a secret: by its name, or by the form of its value.

A control fails on the answer, so it is stricter than `secret_texts`, which decides what is better not shown: a form counts
only where it leaves little doubt. How random a value looks is asked only where the name ends in KEY: checksums, commits and
ids look so too.
"""

from __future__ import annotations

import base64
import binascii
import re

from .secret_names import is_secret_of_name
from .secret_texts import certain_secret_in

_LONGEST = 128 * 1024

# An address with a password in it; a port or a place to fill in is none.
_PASSWORD_IN_ADDRESS = re.compile(
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,200}:(?![0-9]{1,5}(?:[/?#,]|$))(?P<url>[^\s@]{1,200})@|"
    r"\b[\w.-]{1,64}:(?P<dsn>[^\s@/:]{1,64})@(?:tcp|unix|udp)\(|"
    r"\bjdbc:oracle:thin:\w{1,30}/(?P<oracle>[^\s@/]{1,64})@"
)
_HASH = re.compile(
    r"\$(?:1|2[abxy]|5|6|7|y|gy|apr1|argon2[a-z]{0,2}|scrypt|pbkdf2[a-z0-9-]{0,8})\$[^\s$]{1,60}\$?\S{4}"
)
_BEARER = re.compile(r"\bbearer\s{1,9}(?=[A-Za-z+/._~-]{0,99}[0-9])[A-Za-z0-9+/._~-]{12}", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic\s{1,9}([A-Za-z0-9+/]{8,400}={0,2})", re.IGNORECASE)
_BASE64_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/\s]{8,200}")
# Settings within a value: name=value, "name": "value", and a line of YAML.
_SETTING = re.compile(
    r"(?<![\w.-])-{0,2}(?P<name>[A-Za-z_][\w.-]{0,80})=[\"']?(?P<value>[^\s;&,\"']{1,200})|"
    r"[\"'](?P<key>[A-Za-z_][\w.-]{0,80})[\"']\s{0,9}:\s{0,9}[\"'](?P<text>[^\"']{1,200})|"
    r"^[ \t]{0,40}(?P<setting>[A-Za-z_][\w.-]{0,80}):[ \t]{1,9}(?P<word>[^\s#]{1,200})[ \t]{0,40}$",
    re.MULTILINE,
)


def is_secret(name: str, value: str) -> bool:
    """Whether the value of a variable is a secret, by the variable's name or by the value's form."""
    return bool(value.strip()) and (is_secret_of_name(name, value) or is_secret_by_form(value))


def is_secret_by_form(value: str) -> bool:
    """Whether a value is a secret whatever it is called: a private key, a token, an address with a password."""
    text = value[:_LONGEST]
    return (
        bool(certain_secret_in(text))
        or _has_password_in_address(text)
        or _HASH.search(text) is not None
        or _BEARER.search(text) is not None
        or any(b":" in _decoded(match.group(1)) for match in _BASIC.finditer(text))
        or any(b"PRIVATE KEY" in _decoded(match.group()) for match in _BASE64_PEM.finditer(text))
        or _has_secret_setting(text)
    )


def _has_password_in_address(text: str) -> bool:
    # what is called a password, and only says where it comes from, is none
    return any(
        is_secret_of_name("password", next(filter(None, match.groups())))
        for match in _PASSWORD_IN_ADDRESS.finditer(text)
    )


def _has_secret_setting(text: str) -> bool:
    for match in _SETTING.finditer(text):
        name, value = (part for part in match.groups() if part is not None)
        # a variable PWD is the working directory, and a setting of that name is none
        if is_secret_of_name("password" if name.lower() == "pwd" else name, value):
            return True
    return False


def _decoded(text: str) -> bytes:
    """What base64 stands for; as far as it is whole."""
    packed = "".join(text.split()).rstrip("=")
    try:
        return base64.b64decode(packed[: len(packed) // 4 * 4])
    except (ValueError, binascii.Error):
        return b""
