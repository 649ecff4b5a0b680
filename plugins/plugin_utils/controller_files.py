# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller that a task needs wherever it runs: read here, handed over as plain JSON values."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from ..module_utils.counted_yaml import FILE_LIMITS
from ..module_utils.errors import ScanError
from ..module_utils.results.strict_yaml import load_yaml


def read_yaml_file(path: str, reason: str) -> Any:
    """The file's one YAML document; dates become text. ScanError bad_file, or `reason` for what is not
    YAML."""
    try:
        with pathlib.Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read(FILE_LIMITS.characters + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError("bad_file", f"{path}: {error}", tried="reading a file of the controller") from error
    return json.loads(json.dumps(load_yaml(text, path, reason), default=str))
