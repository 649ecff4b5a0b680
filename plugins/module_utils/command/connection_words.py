# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command does with the flags of the connection before a task sees them."""

from __future__ import annotations

from typing import Any, TextIO

from ..cluster.connection import namespace_of_context
from ..errors import ScanError
from ..options.connection import connection_options
from ..options.spec import Spec
from .arguments import Arguments, bad_usage
from .subcommand import Surroundings
from .target_words import add_targets

_STANDARD_INPUT = "-"
_MOST_TOKEN = 64 * 1024
# In place of a namespace: all that the credential can list.
ALL = "*"


def read_connection(arguments: Arguments, surroundings: Surroundings) -> None:
    """Completes the values of the connection. :raises ScanError: bad_option"""
    values = arguments.values
    if values.pop("validate_certs", None):
        raise ScanError(
            "bad_option",
            "the server's certificate is always verified",
            tried="reading --insecure-skip-tls-verify",
            advice="Give the server's CA by --certificate-authority or in the kubeconfig.",
        )
    if values.get("api_key") == _STANDARD_INPUT:
        values["api_key"] = _token(surroundings.stdin)


def read_targets(arguments: Arguments, surroundings: Surroundings, spec: Spec) -> None:
    """Completes the values of the selection: what words name, and the context's namespace where none is named.

    :raises ScanError: bad_option; as `connect`
    """
    values: dict[str, Any] = add_targets(arguments.values, arguments.words)
    if arguments.others.get("all_namespaces"):
        if values.get("namespaces"):
            raise bad_usage("-A and a namespace exclude each other")
        values["namespaces"] = [ALL]
    if not values.get("namespaces") and not values.get("namespace_selectors"):
        options = connection_options({**arguments.params(spec), **values})
        values["namespaces"] = [namespace_of_context(options, surroundings.environ)]
    arguments.values = values


def _token(stdin: TextIO) -> str:
    token = stdin.read(_MOST_TOKEN + 1).strip()
    if not token or len(token) > _MOST_TOKEN:
        raise ScanError("bad_option", "the standard input has no token", tried="reading --token")
    return token
