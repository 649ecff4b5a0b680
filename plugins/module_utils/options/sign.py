# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ScanError
from ..evidence.keys import PEM_MARK, TrustedKey, read_key_file, read_public_key, read_trusted_keys
from ..evidence.problems import bad_key
from ..evidence.signer import CommandSigner, Signer, read_signer
from .bounds import check_numbers
from .run import cluster_name_option, cluster_name_spec, shared_folder_spec
from .spec import Params, Spec, bad_option

_KEYS = ("private_key_path", "private_key_content", "sign_command")


@dataclass(frozen=True)
class SignOptions:
    """`each_target` is None where the kind of the key decides. `trusted`: keys by which an earlier signature can have been
    made."""

    run_dir: str
    allow_shared_folder: bool
    cluster_name: str
    signer: Signer
    each_target: bool | None
    again: bool
    trusted: tuple[TrustedKey, ...]

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> SignOptions:
        """:raises ScanError: bad_option; bad_key; missing_library"""
        check_numbers(params)
        signer = signer_option(params, environ)
        if signer is None:
            raise ScanError("bad_option", f"one of {', '.join(_KEYS)} is needed", tried="reading the options")
        return cls(
            run_dir=params["run_dir"],
            allow_shared_folder=params["allow_shared_folder"],
            cluster_name=cluster_name_option(params),
            signer=signer,
            each_target=params["sign_targets"],
            again=params["again"],
            trusted=read_trusted_keys(params["trusted_keys"] or ()),
        )


def signer_option(params: Params, environ: Mapping[str, str]) -> Signer | None:
    """What signs; None where nothing is named. :raises ScanError: bad_option; bad_key; missing_library"""
    if not any(params[name] for name in (*_KEYS, "public_key", "private_key_passphrase")):
        return None
    given = [name for name in _KEYS if params[name]]
    if len(given) != 1:
        raise ScanError(
            "bad_option",
            f"exactly one of {', '.join(_KEYS)} is needed"
            + (f", found {' and '.join(given)}" if given else ""),
            tried="reading the options",
        )
    passphrase = params["private_key_passphrase"] or ""
    if params["sign_command"]:
        if passphrase:
            raise bad_option("private_key_passphrase", "a command gets its secrets by its environment")
        public = params["public_key"]
        if not public:
            raise bad_option(
                "public_key", "sign_command needs public_key, by which its signatures are checked"
            )
        key = read_public_key(
            public.encode("utf-8") if PEM_MARK in public else read_key_file(public), "public_key"
        )
        return CommandSigner(key, tuple(params["sign_command"]), environ, float(params["sign_timeout"]))
    if params["public_key"]:
        raise bad_option(
            "public_key", "public_key belongs to sign_command: a private key tells its public one"
        )
    check_key_path(params["private_key_path"])
    if params["private_key_content"] and PEM_MARK not in params["private_key_content"]:
        # it would be taken for a path, and shown
        raise bad_key("private_key_content", "is not a private key in PEM form")
    return read_signer(params["private_key_path"] or params["private_key_content"], passphrase)


def check_key_path(path: str | None) -> None:
    """:raises ScanError: bad_option, for a key in place of its path, which is not shown"""
    if path and (PEM_MARK in path or "\n" in path):
        raise bad_option(
            "private_key_path",
            "private_key_path is a text, and the path of a file is expected",
            "Give the text by private_key_content, which Ansible does not show, and take a new key: this one may be in a log.",
        )


def signer_spec() -> Spec:
    return {
        "private_key_path": {"type": "path", "no_log": False},
        "private_key_content": {"type": "str", "no_log": True},
        "private_key_passphrase": {"type": "str", "no_log": True},
        "sign_command": {"type": "list", "elements": "str"},
        "public_key": {"type": "str", "no_log": False},
        "sign_timeout": {"type": "int", "default": 60},
    }


def scan_sign_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        **signer_spec(),
        "sign_targets": {"type": "bool"},
        "again": {"type": "bool", "default": False},
        "trusted_keys": {"type": "list", "elements": "str", "no_log": False},
        **shared_folder_spec(),
        **cluster_name_spec(),
    }
