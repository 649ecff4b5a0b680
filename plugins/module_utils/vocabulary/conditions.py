# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions, which a profile writes after an attribute: checks them, describes them, judges by them.

A compiled condition is {matcher, operand, negated}, plain JSON. Several conditions on one attribute must all
hold.
"""

from __future__ import annotations

from typing import Any

from ..secret_texts import in_place_of, secret_in_value
from ..suggestions import unknown_name
from .cursor import Cursor
from .evidence import Absent, NotKnownError, Partial
from .matchers import MATCHERS, NESTED, element_type, meets_one
from .pattern_search import find_line
from .resource import Attribute
from .value_text import MASK
from .value_types import BOOLEAN, ValueType, kind_of

Condition = dict[str, Any]


def compile_conditions(cursor: Cursor, kind: ValueType, what: str) -> list[Condition]:
    """The conditions at `cursor` for an attribute of type `kind`.

    A plain value or list means `equals`. `what` names the attribute in errors.
    """
    if not isinstance(cursor.value, dict):
        return [_condition(cursor, "equals", kind, what)]
    if not cursor.value:
        cursor.fail(f"{what}: found an empty mapping; expected a value or a matcher")
    return [_compile_entry(cursor.child(name), name, kind, what) for name in cursor.value]


def _compile_entry(cursor: Cursor, name: str, kind: ValueType, what: str) -> Condition:
    if name != "not":
        return _condition(cursor, name, kind, what)
    inner = compile_conditions(cursor, kind, what)
    if len(inner) != 1 or inner[0]["negated"]:
        cursor.fail(
            "{}: found {} below 'not'; expected exactly one matcher or value".format(
                what, "another 'not'" if len(inner) == 1 else f"{len(inner)} matchers"
            )
        )
    return dict(inner[0], negated=True)


def _condition(cursor: Cursor, name: str, kind: ValueType, what: str) -> Condition:
    usable = [matcher.name for matcher in MATCHERS.values() if matcher.applies(kind)]
    if name not in MATCHERS:
        cursor.fail(f"{what}: {unknown_name('matcher', name, [*usable, 'not'])}")
    if name not in usable:
        cursor.fail(
            "{}: the matcher '{}' does not apply to {}; expected one of {}".format(
                what, name, kind.name, ", ".join(sorted(usable))
            )
        )
    place = f"{what} {name}"
    operand_type = MATCHERS[name].operand(kind)
    if name in NESTED:
        return {
            "matcher": name,
            "operand": compile_conditions(cursor, element_type(kind), place),
            "negated": False,
        }
    if name == "equals" and isinstance(cursor.value, list) and kind.element is None and not kind.flexible:
        cursor.fail(f"{what}: found a list; expected {kind.name} (one_of takes a list)")
    operand = cursor.accepted(place, operand_type.name, operand_type.accept)
    if isinstance(operand, list) and not operand and name not in {"none_outside", "equals"}:
        cursor.fail(f"{place}: found an empty list; expected at least one entry")
    _check_order(cursor, name, kind, operand, place)
    return {"matcher": name, "operand": operand, "negated": False}


def _check_order(cursor: Cursor, name: str, kind: ValueType, operand: Any, place: str) -> None:
    if name not in ("at_least", "at_most", "more_than", "less_than", "between") or kind.order_key is None:
        return
    try:
        keys = [kind.order_key(limit) for limit in (operand if isinstance(operand, list) else [operand])]
    except (TypeError, ValueError):
        cursor.fail(f"{place}: found {kind_of(operand)}; expected something with an order, such as a number")
    if name == "between" and not (len(keys) == 2 and keys[0] <= keys[1]):
        cursor.fail(
            f"{place}: found {len(keys)} limits that are not a smaller and a larger one; expected two"
        )


def _operand_shown(condition: Condition, kind: ValueType, masked: bool) -> str:
    name, operand = condition["matcher"], condition["operand"]
    if name in NESTED:
        return sign_of(operand, element_type(kind), masked)
    if masked:
        return MASK
    operand_type: ValueType = MATCHERS[name].operand(kind)
    if operand_type.element is not None and len(operand) == 1 and name == "include":
        return operand_type.element.show(operand[0])
    return operand_type.show(operand)


def _statement(condition: Condition, kind: ValueType, masked: bool) -> tuple[bool, str]:
    """Whether "not" stands before the words of the condition, and these words (after "to")."""
    matcher, negated = MATCHERS[condition["matcher"]], condition["negated"]
    words = matcher.words
    if "%s" not in words:
        return condition["operand"] is negated, words
    if matcher.name == "equals" and kind is BOOLEAN:
        words = "be %s"
    elif matcher.name == "equals" and (kind.element is not None or isinstance(condition["operand"], list)):
        words = "be exactly %s"
    return negated, words % _operand_shown(condition, kind, masked)


def sign_of(conditions: list[Condition], kind: ValueType, masked: bool = False) -> str:
    """The conditions in the form that follows the name of a field: "= 0", "not matches /x/"."""
    signs = []
    for condition in conditions:
        sign, negated = MATCHERS[condition["matcher"]].sign, condition["negated"]
        if "%s" in sign:
            sign %= _operand_shown(condition, kind, masked)
        else:
            negated = condition["operand"] is negated
        signs.append("not " + sign if negated else sign)
    return " and ".join(signs)


def _predicate_words(predicate: str, conditions: list[Condition]) -> str | None:
    """The words of an attribute that is itself a statement ("exist", "be installed"); None for any other, or
    with several conditions."""
    if not predicate or len(conditions) != 1 or conditions[0]["matcher"] != "equals":
        return None
    wanted = conditions[0]["operand"] is not conditions[0]["negated"]
    return ("to %s" if wanted else "not to %s") % predicate


def describe(conditions: list[Condition], attribute: Attribute, title: str, masked: bool) -> dict[str, str]:
    """The two texts of an expectation: `description` ("File /x mode is expected to be no wider than 0640")
    and `expected`, which starts a failure's message ("expected mode no wider than 0640")."""
    kind, name = attribute.type, attribute.name
    statement = _predicate_words(attribute.predicate, conditions)
    if statement is not None:
        return {
            "description": f"{title} is expected {statement}",
            "expected": f"expected {title} {statement}",
        }
    full, brief = [], []
    for condition in conditions:
        negated, words = _statement(condition, kind, masked)
        full.append(("not to %s" if negated else "to %s") % words)
        shortens = (
            words.startswith("be ") and "%s" in MATCHERS[condition["matcher"]].words and kind is not BOOLEAN
        )
        brief.append(words[3:] if shortens and not negated else full[-1])
    return {
        "description": "{} {} is expected {}".format(title, name, " and ".join(full)),
        "expected": "expected {} {}".format(name, " and ".join(brief)),
    }


def unmet(conditions: list[Condition], kind: ValueType, found: Any) -> Condition | None:
    """The first condition that `found` does not meet; None if it meets all.

    `found` is a value, Absent, or Partial. A condition on a partial list fails if the missing entries cannot
    change that; otherwise the result is not known. For something absent a negated condition holds, as in
    InSpec for nil, and any other condition fails.

    :raises NotKnownError: the missing entries of a partial list could change the result
    """
    partial = found if isinstance(found, Partial) else None
    value = None if isinstance(found, Absent) else partial.value if partial else found
    for condition in conditions:
        if not meets_one(condition, kind, value):
            matcher = MATCHERS[condition["matcher"]]
            if partial and (
                condition["negated"] or not matcher.sure_on_part(kind, value, condition["operand"])
            ):
                continue
            return condition
    if partial:
        raise NotKnownError(partial.what, partial.cause)
    return None


def found_text(condition: Condition, attribute: Attribute, found: Any, masked: bool, name: str = "") -> str:
    """What was found, for the message of a failure: the entries that break the condition, if they are known.
    Nothing in which something looks like a secret.

    :param name: what the value is called in its own place
    """
    if isinstance(found, Partial):
        found = found.value
    if isinstance(found, Absent) or found is None:
        return "nothing"
    if attribute.predicate and isinstance(found, bool):
        verb = "is" if attribute.predicate.startswith("be ") else "does"
        return "that it %s" % (verb if found else verb + " not")
    kind, matcher = attribute.type, MATCHERS[condition["matcher"]]
    culprits = [] if condition["negated"] else matcher.culprits(kind, found, condition["operand"])
    if masked or attribute.hidden:
        return _hidden_text(condition, found, culprits)
    shown = culprits or found
    if attribute.names and isinstance(shown, list):
        secret = next(filter(None, (secret_in_value(entry) for entry in shown)), "")
    else:
        secret = secret_in_value(shown, name)
    return in_place_of(secret) if secret else kind.show(culprits or found)


def _hidden_text(condition: Condition, found: Any, culprits: list[Any]) -> str:
    if condition["matcher"] == "matches" and condition["negated"] and isinstance(found, str):
        return "a match in line {}".format(find_line(condition["operand"], found))
    if culprits:
        return f"{len(culprits)} such entries (not shown)"
    size = f"{len(found)} entries" if isinstance(found, list) else f"{len(str(found))} characters"
    return f"{size} without it (not shown)" if not condition["negated"] else f"{size} (not shown)"
