"""Inputs of a model as users name them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from jaxvqa._checks import shown
from jaxvqa._study.dataset_file import read_assignments
from jaxvqa._tables import TableError, read_table
from jaxvqa.features._options import parse_text
from jaxvqa.features._registry import FEATURES, by_key
from jaxvqa.fusion import FeatureRef, feature_refs, load_model
from jaxvqa.fusion._refs import in_order


def resolve_features(texts: Iterable[str]) -> tuple[FeatureRef, ...]:
    """Inputs from names, sorted as libvmaf sorts them.

    Args:
        texts: each one or more names with commas between them: a feature with all its outputs
            (`y_funque_plus`), an output as results print it (`adm2`, `integer_motion2`), or a key
            (`VMAF_feature_adm2_score`), each with options as libvmaf writes them
            (`adm2=adm_enhn_gain_limit=1`); or a file: a model, whose inputs are taken, a JSON list
            of names, or libvmaf's feature parameters (`.py`, read as data).

    Raises:
        ValueError: a name that is unknown, open, or given twice. TableError: a file that can't be
            read.
    """
    names: list[str] = []
    refs: list[FeatureRef] = []
    for text in texts:
        if PurePath(text).suffix.lower() in (".json", ".py"):
            found = _of_file(text)
            refs += [one for one in found if isinstance(one, FeatureRef)]
            names += [one for one in found if isinstance(one, str)]
        else:
            names += [name.strip() for name in text.split(",") if name.strip()]
    refs += feature_refs(_full_name(name) for name in names)
    if not refs:
        raise ValueError("no features are named: give some, such as adm2,motion2 or y_funque_plus.")
    return in_order(refs)


def _full_name(text: str) -> str:
    """A feature or key for `feature_refs`, from an output's printed name where it is one."""
    name, given = parse_text(text)
    if name in FEATURES or name in by_key():
        return text
    keys = []
    for feature in FEATURES.values():
        for key in feature.model_keys():
            output, _ = feature.output(key, feature.options())
            if output.name == name:
                keys.append((feature.name, key))
    if not keys:
        return text  # feature_refs says what there is
    if len(keys) > 1:
        owners = ", ".join(owner for owner, _ in keys)
        raise ValueError(f"{name!r} may be of {owners}: name one of these, with all its outputs.")
    options = ":".join(f"{option}={value}" for option, value in given.items())
    return keys[0][1] + (f"={options}" if options else "")


def _of_file(path: str) -> list[str | FeatureRef]:
    if not os.path.isfile(path):
        raise TableError(f"{path}: cannot be read: there is no such file.")
    if PurePath(path).suffix.lower() == ".py":
        return list(_of_parameters(path, read_assignments(path, root="")))
    try:
        return list(load_model(os.path.join(".", path)).features)
    except ValueError as error:
        try:
            rows = read_table(path)
        except TableError:
            listed = _listed(path)
            if listed is None:
                raise TableError(
                    f"{path}: is neither a model nor a list of names: {error}"
                ) from None
            return listed
        raise TableError(f"{path}: must be a list of names, it has {len(rows)} objects.") from None


def _listed(path: str) -> list[str | FeatureRef] | None:
    try:
        values = json.loads(Path(path).read_bytes())
    except (ValueError, OSError, RecursionError):
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return list(values)


def _of_parameters(path: str, values: dict[str, Any]) -> list[str]:
    """Names from libvmaf's `feature_dict` and `feature_optional_dict`."""
    wanted, options = values.get("feature_dict"), values.get("feature_optional_dict") or {}
    if not isinstance(wanted, dict) or not isinstance(options, dict):
        raise TableError(f"{path}: has no feature_dict.")
    names = []
    for aggregate, atoms in wanted.items():
        if not isinstance(atoms, (list, tuple)) or not all(isinstance(a, str) for a in atoms):
            raise TableError(
                f"{path}: {aggregate} must be a list of feature names, got {shown(atoms)}."
            )
        own = options.get(aggregate) or {}
        if not isinstance(own, dict):
            raise TableError(f"{path}: the options of {aggregate} must be a dict.")
        taken = [(key := f"{aggregate}_{atom}_score", _options_of(key)) for atom in atoms]
        for option in own:
            if not any(option in known for _, known in taken):
                raise TableError(f"{path}: no feature of {aggregate} has the option {option}.")
        for key, known in taken:
            text = ":".join(f"{k}={v}" for k, v in own.items() if k in known)
            names.append(key + (f"={text}" if text else ""))
    return names


def _options_of(key: str) -> set[str]:
    """Names of the options that the features with a key take."""
    return {option.name for feature in by_key().get(key, ()) for option in feature.options.spec()}
