"""`jaxvqa.register`: what it refuses, and mistakes of metrics that users bring."""

import dataclasses
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import jaxvqa
from jaxvqa import Feature, Loss, Output, losses
from jaxvqa._planes import to_float
from jaxvqa.features import FEATURES
from tests import clips, toy

REF = clips.textured(np.random.default_rng(0), (3, 16, 16))


def feature(**changed):
    record = Feature(
        name="mine", summary="mean difference", extract=difference,
        outputs=lambda options: (Output("mine", "lower", 0.0, key="mine_key"),),
    )  # fmt: skip
    return dataclasses.replace(record, **changed)


def distance(ref, dis):
    return jnp.abs(to_float(ref.y, ref.depth) - to_float(dis.y, dis.depth))


def difference(ref, dis, options):
    return {"mine": distance(ref, dis).mean((1, 2))}


def loss(name="mine", value="mine"):
    return Loss(name, "Mean difference.", value=value, returns="0 for an equal pair")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "my metric"}, "letters, digits and '_', got 'my metric'"),
        ({"name": "vif"}, "jaxvqa has a feature named 'vif': choose another name"),
        (
            {"outputs": lambda o: (Output("a", "lower", 0.0, key="VMAF_feature_adm2_score"),)},
            "key 'VMAF_feature_adm2_score' belongs to float_adm: give the output another key",
        ),
        ({"loss": loss("vif")}, "there is a loss named 'vif': choose another name"),
        ({"loss": loss("vmaf")}, "there is a loss named 'vmaf': choose another name"),
        ({"loss": loss("names")}, "there is a loss named 'names': choose another"),
        (
            {"loss": loss(value="other")},
            "the loss of mine reads 'other', which is no output: there are mine",
        ),
    ],
)
def test_what_can_not_be_known_everywhere_is_refused(given, message):
    before = dict(FEATURES)
    with pytest.raises(ValueError, match=message):
        jaxvqa.register(feature(**given))
    assert dict(FEATURES) == before


WRONG_TYPES = """
import jaxvqa
def extract(ref, dis, options): ...
wrong = jaxvqa.Feature("mine", "x", extract, outputs=lambda options: (), options=dict)
for given in (extract, wrong):
    try:
        jaxvqa.register(given)
    except TypeError as error:
        print(error)
"""


def test_wrong_types_are_told():
    """In a process without the run-time type checks of the tests."""
    done = subprocess.run([sys.executable, "-c", WRONG_TYPES], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "register takes a jaxvqa.Feature, got function.",
        "options of 'mine' must be a dataclass of jaxvqa.Options.",
    ], done.stderr


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            lambda ref, dis: {"mine": distance(ref, dis).mean()},
            r"extract of toy must give one value of 'mine' per frame, \(\d+,\) here, got \(\)",
        ),
        (lambda ref, dis: {"mine": jnp.zeros(7)}, r"per frame, \(\d+,\) here, got \(7,\)"),
        (
            lambda ref, dis: {"other": distance(ref, dis).mean((1, 2))},
            r"toy gives no value as its output 'mine': return a \(frames,\) array of that name",
        ),
        (
            lambda ref, dis: {"mine": distance(ref, dis).mean(1)},
            r"toy gives an array of shape \(\d, 16\) as its output 'mine'",
        ),
    ],
)
def test_wrong_values_are_told_and_not_published(values, message):
    """A mean over all frames would otherwise come out as a value per chunk."""
    wrong = {"extract": lambda ref, dis, options: values(ref, dis), "loss": loss("toy_loss")}
    with toy.registered(outputs=feature().outputs, **wrong):
        with pytest.raises(ValueError, match=message):
            jaxvqa.score(REF, REF, model=None, features=["toy"])
        with pytest.raises(ValueError, match=message):
            losses.toy_loss(REF, REF)
