"""The fields of a config, each with its type and its meaning: for flags, forms and checks."""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from tfs.model.config import DTYPES

ROW = re.compile(r"^ {4}(\w+) {2,}(\S.*(?:\n {8,}\S.*)*)", re.MULTILINE)  # of a class's docstring
KINDS = {
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    str: "a word",
    tuple: "two numbers",
    list: "a list of words",
}


class Field(NamedTuple):
    name: str
    kind: type  # int, float, bool, str, tuple (of two numbers) or list (of words)
    may_be_none: bool
    default: Any  # as JSON can hold it; dataclasses.MISSING where there is none
    meaning: str  # from the table in the class's docstring


def fields_of(config: type) -> list[Field]:
    """Every field of TransformerConfig or TrainConfig, in order; a dtype goes by its name."""
    meanings = {name: " ".join(text.split()) for name, text in ROW.findall(config.__doc__ or "")}
    hints = typing.get_type_hints(config)
    fields = []
    for field in dataclasses.fields(config):
        hint = hints[field.name]
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        may_be_none = type(None) in typing.get_args(hint)
        is_union = isinstance(hint, types.UnionType)
        kind = kinds[0] if is_union else typing.get_origin(hint) or hint
        if str in typing.get_args(kind):
            kind = list
        default = field.default
        if kind is torch.dtype:
            kind, default = str, next(name for name, dtype in DTYPES.items() if dtype == default)
        meaning = meanings.get(field.name, "")
        fields.append(Field(field.name, kind, may_be_none, default, meaning))
    return fields


def check_types(config: type, values: Mapping[str, Any]) -> None:
    """Raises ValueError, naming the field, for a value of another type than the field's.

    Names that are no field are left to the config itself to refuse.
    """
    for field in fields_of(config):
        if field.name in values and not _suits(field, values[field.name]):
            wanted = KINDS[field.kind] + (" or none" if field.may_be_none else "")
            raise ValueError(f"{field.name} must be {wanted}, not {values[field.name]!r:.60}")


def _suits(field: Field, value: Any) -> bool:
    if value is None or isinstance(value, torch.dtype):
        return field.may_be_none or isinstance(value, torch.dtype)
    if field.kind is tuple:
        return isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
    if field.kind is list:
        return isinstance(value, list | tuple) and all(type(word) is str for word in value)
    if field.kind is float:
        return _is_number(value)
    if field.kind is int:
        return type(value) is int and -(2**63) <= value < 2**64
    return type(value) is field.kind


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))
