"""Options of features and settings of requests: spellings, types, and what is refused."""

import dataclasses
import json
import re

import numpy as np
import pytest

import jaxvqa
from jaxvqa import InputOptions, Options, ScoreRequest, option
from jaxvqa._scoring.plan import make_plan
from jaxvqa._scoring.result import ClipInfo
from jaxvqa._settings import settings_of
from jaxvqa.features._options import parse_text
from jaxvqa.features._registry import FEATURES
from tests.fusion_files import libvmaf_file

EVERY = [(name, o) for name, feature in FEATURES.items() for o in feature.options.spec()]
NUMBERS = [(name, o) for name, o in EVERY if not isinstance(o.default, (bool, str))]
NO_NUMBERS = {
    "inf": float("inf"), "-inf": float("-inf"), "nan": float("nan"), "text inf": "inf",
    "text nan": "NaN", "1e400": "1e400", "1e999999999": "1e999999999", "empty": "",
    "beyond float": 10**400, "beyond text": 10**5000, "none": None, "array": np.zeros(3),
    "word": "three", "truth": True,
}  # fmt: skip


def ids(cases):
    return [f"{name}-{o.name}" for name, o in cases]


def spellings(o):
    return [s for s in dict.fromkeys((o.name, o.python, o.alias)) if s is not None]


def another(o):
    """A value that is not the default."""
    if isinstance(o.default, bool):
        return not o.default
    if isinstance(o.default, str):
        return next(c for c in o.choices or ("pq",) if c != o.default)
    if o.high is None:
        return o.default + 1
    return o.high if o.high != o.default else o.low


def assert_one_sentence(error, name):
    text = str(error.value)
    assert text.startswith(f"{name} must ")
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 200


@pytest.mark.parametrize(("name", "o"), EVERY, ids=ids(EVERY))
def test_every_spelling_means_the_same_and_two_are_refused(name, o):
    feature, value = FEATURES[name], another(o)
    for spelling in spellings(o):
        found = feature.resolve({spelling: value})
        assert getattr(found, o.python) == value
        assert found == feature.options().replace(**{o.python: value})
    first, *others = spellings(o)
    for other in others:
        with pytest.raises(ValueError, match=f"{name} got option {o.name} twice"):
            feature.resolve({first: value, other: o.default})


def test_an_eotf_of_cambi_that_is_not_used_may_be_anything():
    """As in libvmaf, which looks at the one that it uses."""
    cambi = FEATURES["cambi"]
    taken = cambi.resolve({"eotf": "xxx", "cambi_eotf": "pq"})
    assert (taken.used_eotf, taken.suffix) == ("pq", "_ceot_pq_eotf_xxx")
    assert cambi.resolve({"eotf": "pq", "cambi_eotf": "bt1886"}).used_eotf == "pq"
    for given in ({"eotf": "xxx"}, {"eotf": "xxx", "cambi_eotf": "bt1886"}):
        with pytest.raises(ValueError, match=r"^eotf must be one of bt1886, pq; got 'xxx'\.$"):
            cambi.resolve(given)
    with pytest.raises(ValueError, match=r"^cambi_eotf must be one of bt1886, pq; got 'xxx'\.$"):
        cambi.resolve({"eotf": "pq", "cambi_eotf": "xxx"})


def test_functions_refuse_an_option_given_twice():
    frame = np.zeros((1, 20, 20), np.uint8)
    with pytest.raises(ValueError, match="got option vif_kernelscale twice"):
        jaxvqa.features.vif(frame, frame, kernel_scale=1.0, vif_kernelscale=0.5)


@pytest.mark.parametrize(("name", "o"), NUMBERS, ids=ids(NUMBERS))
def test_numbers_that_are_none_are_refused_in_one_sentence(name, o):
    for bad in NO_NUMBERS.values():
        with pytest.raises(ValueError) as error:
            FEATURES[name].resolve({o.name: bad})
        assert_one_sentence(error, o.name)


@pytest.mark.parametrize(("name", "o"), EVERY, ids=ids(EVERY))
def test_other_options_are_refused_in_one_sentence_too(name, o):
    for bad in ("", "inf", 10**5000):
        if (name, o) not in NUMBERS:
            with pytest.raises(ValueError) as error:
                FEATURES[name].resolve({o.name: bad})
            assert_one_sentence(error, o.name)


# `settings_of`, not the classes: their fields are checked by type while tests run
SETTINGS = [s for cls in (ScoreRequest, InputOptions) for s in settings_of(cls)]
SETTINGS = {s.name: s for s in SETTINGS if s.name not in ("model", "features")}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_refused_in_one_sentence(name):
    known = SETTINGS[name]
    for what, bad in NO_NUMBERS.items():
        if known.default is None and what in ("empty", "none"):
            assert known.parse(bad) is None
            continue
        if known.default is False and what == "truth":
            continue
        if name == "pixel_format" and isinstance(bad, str):
            continue  # any text; opening the file says more
        if name in ("ref_times", "dis_times") and what == "array":
            continue  # three times
        with pytest.raises(ValueError, match=r"^must [^\n]*\.$") as error:
            known.parse(bad)
        assert len(str(error.value)) < 150


@pytest.mark.parametrize("bad", [3, np.zeros(3), [1], {"a": 1}])
def test_features_must_be_text(bad):
    with pytest.raises(ValueError) as error:
        ScoreRequest(features=bad)
    assert_one_sentence(error, "features")


@pytest.mark.parametrize("text", ["inf", "nan", "1e400", '""', "1" + "0" * 400, "1" + "0" * 5000])
@pytest.mark.parametrize("quoted", [False, True])
def test_options_in_model_files_are_refused_in_one_sentence(tmp_path, text, quoted):
    content = libvmaf_file(
        np.random.default_rng(0), count=1, feature_opts_dicts=[{"adm_min_val": 7}]
    )
    literal = text if text == '""' or not quoted else f'"{text}"'
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(content).replace('"adm_min_val": 7', f'"adm_min_val": {literal}'))
    with pytest.raises(ValueError) as error:
        make_plan(ScoreRequest(model=path), ClipInfo(64, 64, 8, "420"))
    assert str(error.value).startswith(("bad.json", "model bad"))
    assert str(error.value).count("\n") == 0
    assert len(str(error.value)) < 600


def test_frame_rates_may_be_fractions():
    parse = SETTINGS["fps"].parse
    assert parse("30000/1001") == 30000 / 1001
    assert parse("25") == 25
    with pytest.raises(ValueError, match="must be a number above 0, got '1/0'"):
        parse("1/0")


def test_limits_on_one_side_are_said():
    @dataclasses.dataclass(frozen=True)
    class Sided(Options):
        least: int = option(3, "a number", low=1)
        most: float = option(3.0, "a number", high=4.0)

    least, most = Sided.spec()
    assert (least.range, most.range) == ("from 1", "up to 4")
    with pytest.raises(ValueError, match=r"^least must be at least 1, got 0\.$"):
        Sided.parse("mine", {"least": 0})
    with pytest.raises(ValueError, match=r"^most must be at most 4, got 5\.$"):
        Sided.parse("mine", {"most": 5})


def test_a_feature_as_the_filter_of_ffmpeg_has_it():
    text = "psnr=enable_apsnr=true:min_sse=0.5"
    assert parse_text(f"name={text.replace('=', ':', 1)}") == parse_text(text)
    assert parse_text("name=ciede") == ("ciede", {})


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("psnr:enable_mse=true", "write psnr=enable_mse=true, with = behind the name."),
        ("psnr,ciede", "there is no feature named 'psnr,ciede': give each feature by itself."),
        ("name=psnr|ciede", "give each feature by itself."),
        ("name=", "has no name"),
    ],
)
def test_features_that_are_not_understood(text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make_plan(ScoreRequest(model=None, features=[text]), ClipInfo(64, 64, 8, "420"))
