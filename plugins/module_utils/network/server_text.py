# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from a server on its way into a message: one line, bounded, printable, without secrets."""

from __future__ import annotations

from collections.abc import Sequence

TEXT_LIMIT = 500
_SECRET_MINIMUM = 4


def clean_text(text: str, secrets: Sequence[str] = (), limit: int = TEXT_LIMIT) -> str:
    """`text` as one printable line of at most `limit` characters, each of `secrets` replaced by asterisks.

    Some servers repeat the headers of a request that they refuse, the credential among them.
    """
    for secret in secrets:
        if len(secret) >= _SECRET_MINIMUM:
            text = text.replace(secret, "***")
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."
