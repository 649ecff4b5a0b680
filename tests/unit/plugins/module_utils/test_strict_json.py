# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written with orjson and without it is the same JSON."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import uuid

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import strict_json
from ansible_collections.securescan.kubernetes.plugins.module_utils.strict_json import dump_json, load_json

VALUES = (
    {"a": [1, 2.5, True, None, "x"], "b": {}},
    {"text": 'grün \u2028 \x00 \x7f \x1b[31m </script> \\ " \n'},
    {"lone surrogate": "\udc80 and \ud83d"},
    {"long": 2**70, "small": 1e-7, "zero": 0.0, "minus": -0.5},
    [[[[[]]]]],
)


class Word(enum.Enum):
    YES = "yes"


@dataclasses.dataclass
class Record:
    a: int = 1


class Text(str):
    """A text of a class of its own, as YAML readers make them."""


@pytest.fixture(params=["with orjson", "without orjson"])
def encoder(request, monkeypatch):
    if request.param == "without orjson":
        monkeypatch.setattr(strict_json, "orjson", None)
    elif strict_json.orjson is None:
        pytest.skip("orjson is not installed here")


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_what_is_written_is_read_back(encoder, value):
    data = dump_json(value)
    assert json.loads(data) == value
    assert b"\n" not in data and data == dump_json(value)


def test_what_is_written_is_compact_and_in_utf_8(encoder):
    assert dump_json({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("around", [lambda number: number, lambda number: {"a": [None, ({"b": number},)]}])
def test_a_number_that_is_not_finite_is_refused(encoder, number, around):
    with pytest.raises(ValueError):
        dump_json(around(number))


@pytest.mark.parametrize(
    "value",
    [Record(), Word.YES, datetime.datetime(2026, 1, 1), datetime.date(2026, 1, 1), uuid.UUID(int=1), {1, 2}],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_form_in_json_is_refused(encoder, value):
    with pytest.raises(TypeError):
        dump_json({"a": [value]})


def test_subclasses_and_tuples_are_written_as_what_they_are(encoder):
    assert dump_json({"a": Text("x"), "b": (1, True), Text("c"): None}) == b'{"a":"x","b":[1,true],"c":null}'


def test_what_contains_itself_is_refused(encoder):
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError):
        dump_json(value)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[1e999]", "[NaN]", "[1] 2"])
def test_reading_stays_strict(encoder, text):
    with pytest.raises(ValueError):
        load_json(text)
