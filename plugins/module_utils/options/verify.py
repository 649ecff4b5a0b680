# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_verify."""

from __future__ import annotations

from dataclasses import dataclass

from ..evidence.keys import TrustedKey, read_trusted_keys
from .bounds import check_numbers
from .run import cluster_name_option, cluster_name_spec, sha256_option
from .spec import Params, Spec, bad_option


@dataclass(frozen=True)
class VerifyOptions:
    """`chain_from` is a run's id, `chain_head` the SHA-256 of a manifest; both empty where they are not given. `max_age` is in
    seconds, None without a limit."""

    run_dir: str
    cluster_name: str
    keys: tuple[TrustedKey, ...]
    chain: bool
    chain_from: str
    chain_head: str
    max_age: int | None
    allow_uncovered: bool

    @classmethod
    def from_params(cls, params: Params) -> VerifyOptions:
        """:raises ScanError: bad_option; bad_key; missing_library"""
        check_numbers(params)
        given = [one for one in params["trusted_keys"] if one.strip()]
        if not given:
            raise bad_option("trusted_keys", "it names no key")
        chain_from, chain_head = params["chain_from"] or "", sha256_option(params, "chain_head")
        for name, value in (("chain_from", chain_from), ("chain_head", chain_head)):
            if value and not params["chain"]:
                raise bad_option(name, f"{name} needs chain")
        return cls(
            run_dir=params["run_dir"],
            cluster_name=cluster_name_option(params),
            keys=read_trusted_keys(given),
            chain=params["chain"],
            chain_from=chain_from,
            chain_head=chain_head,
            max_age=params["max_age"],
            allow_uncovered=params["allow_uncovered"],
        )


def scan_verify_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        "trusted_keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
        "chain": {"type": "bool", "default": False},
        "chain_from": {"type": "str"},
        "chain_head": {"type": "str"},
        "max_age": {"type": "int"},
        "allow_uncovered": {"type": "bool", "default": True},
        **cluster_name_spec(),
    }
