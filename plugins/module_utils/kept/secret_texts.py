# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a text looks like a secret: of facts and of a pod alike, nothing is kept in which something does."""

from __future__ import annotations

import re

_WORDS = r"passphrase|password|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
# What it is -> how it looks. The aim is to miss nothing usual; a harmless text that is taken for a secret
# costs a fact. The text comes from a container: no pattern takes more than linear time, so what repeats is
# bounded or begins nowhere within itself.
_SECRETS: tuple[tuple[str, str], ...] = (
    ("a private key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY"),
    ("a token", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}"),
    (
        "a token",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
        r"|\bxox[abprs]-[\w-]{10,}",
    ),
    (
        "a password hash",
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2[a-z]{0,2}|scrypt|pbkdf2[a-z0-9-]{0,8})"
        r"\$[^\s:$]+\$?[^\s:]*",
    ),
    ("a password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]*:[^\s/@]+@"),
    ("an authorization header", r"(?i)\b(?:bearer|basic) [A-Za-z0-9+/._~-]{12,}=*"),
    # not where the value is empty, a switch, a number or a variable
    (
        "a password or token",
        rf"(?i)(?:{_WORDS}|(?<=[^\n])passwd|^passwd(?=[ \t]*=))[\w.-]{{0,40}}[\"']?[ \t]{{0,40}}(?::=|=>|[:=])"
        r"[ \t]{0,40}(?![\"']?(?:(?:yes|no|on|off|true|false|none|null|[0-9]+|\$\{?\w+\}?|\{\{.*\}\})?"
        r"[\"']?[ \t\r]{0,40}(?:[,;#}\]]|$)))[^\s]",
    ),
    (
        "a password on a command line",
        rf"(?i)(?:^|\s)--?[\w-]{{0,40}}(?:{_WORDS}|passwd)[\w-]{{0,40}}[ =](?!-)\S",
    ),
)
_PATTERNS = tuple((what, re.compile(pattern, re.MULTILINE)) for what, pattern in _SECRETS)


def secret_in(text: str) -> str:
    """What in a text looks like a secret ("a private key"), or an empty string."""
    return next((what for what, pattern in _PATTERNS if pattern.search(text)), "")
