import copy
import dataclasses
import json

import jax
import numpy as np
import pytest

from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion import _untrusted as untrusted
from jaxvqa.fusion._catalog import (
    ALIASES,
    list_models,
    load_model,
    model_folder,
    model_names,
)
from jaxvqa.fusion._model import Collection, ModelInfo, numbers_only, with_options
from jaxvqa.fusion._save import MODEL_FORMATS, save_model
from tests.fusion_files import libvmaf_file

KNOTS = {"p1": 1.5, "knots": [[0, 1], [50, 50], [90, 95.5]], "out_lte_in": "true"}
SETTINGS = (
    {},
    {"norm_type": "none"},
    {"score_clip": [0, 110], "chroma_correction_parameter": 120.0},
    {"score_transform": KNOTS | {"enabled": True}, "score_clip": [-5, 5.5]},
    {"feature_opts_dicts": [{"adm_min_val": 0.5, "a": 2}, {}, {"debug": True, "x": "y"}]},
)  # fmt: skip


def assert_same(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def collection_file(rng, count=3, **settings):
    return {str(i): libvmaf_file(rng, vectors=4 + i, **settings) for i in range(count + 1)}


def files():
    rng = np.random.default_rng(0)
    for settings in SETTINGS:
        yield libvmaf_file(rng, **settings)
        yield collection_file(rng, **settings)
    # members whose numbers (not forms) differ from the main model's
    mixed = collection_file(rng, score_transform={"p0": 1.0}, score_clip=[0, 100])
    mixed["2"]["model_dict"] |= {"score_transform": {"p0": 2.0}, "score_clip": [1, 99]}
    yield mixed
    # a main model with a clip that its members don't have
    mixed = collection_file(rng)
    mixed["0"]["model_dict"]["score_clip"] = [0, 100]
    yield mixed


@pytest.mark.parametrize("content", list(files()))
def test_round_trips_are_exact(content):
    model = libvmaf_json.read(json.dumps(content), "random.json")
    assert model.name == "random"
    assert isinstance(model, Collection) == ("0" in content)
    assert_same(own_json.read(own_json.write(model), "own.json"), model)
    assert_same(libvmaf_json.read(libvmaf_json.write(model), "random.json"), model)


@pytest.mark.parametrize("name", model_names())
def test_shipped_models_round_trip(name):
    model = load_model(name)
    assert_same(own_json.read(own_json.write(model), name), model)
    info = model.info
    assert info.name == name
    assert info.summary
    assert info.display
    if name == "vmaf_estimate":  # of features that libvmaf has not
        assert info.license == "Apache-2.0"
        assert info.typical_error is not None
        return
    assert info.license == "BSD-2-Clause-Patent"
    again = libvmaf_json.read(libvmaf_json.write(model), name)
    assert again.features == model.features
    for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(model), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_values_of_a_libvmaf_file():
    content = libvmaf_file(np.random.default_rng(1), count=2, vectors=2)
    values = content["model_dict"]
    values["model"] = (
        "svm_type nu_svr\nkernel_type rbf\ngamma 0.25\nnr_class 2\ntotal_sv 2\nrho -1.5\nSV\n"
        "-4 2:0.5 \n1.25 1:3 2:-1e-3 \n"
    )
    model = libvmaf_json.read(json.dumps(content).encode(), "a.json")
    np.testing.assert_array_equal(model.regression.support_vectors, [[0, 0.5], [3, -0.001]])
    np.testing.assert_array_equal(model.regression.coefficients, [-4, 1.25])
    assert (model.regression.gamma, model.svr.rho) == (0.25, -1.5)
    np.testing.assert_array_equal(model.slopes, values["slopes"])
    assert [f.extractor for f in model.features] == ["adm", "speed_chroma"]


def test_own_files_are_readable_and_diffable():
    text = (model_folder() / "vmaf_v0.6.1.json").read_text()
    lines = text.splitlines()
    assert sum(line.lstrip().startswith("[") for line in lines) == 211
    assert max(map(len, lines)) < 200
    assert sum(f.stat().st_size for f in model_folder().glob("*")) < 1_500_000


def edited(**changes):
    content = libvmaf_file(np.random.default_rng(2), chroma_correction_parameter=120.0)
    content["model_dict"] |= changes
    return {k: v for k, v in content.items() if v is not None}


def with_text(old, new):
    content = edited()
    assert old in content["model_dict"]["model"]
    content["model_dict"]["model"] = content["model_dict"]["model"].replace(old, new, 1)
    return content


BAD = {
    "model_type": (edited(model_type="RANDOMFOREST"), "model_type must be one of LIBSVMNUSVR"),
    "norm_type": (edited(norm_type="clip_0to1"), "norm_type must be one of"),
    "unknown feature": (
        edited(feature_names=["VMAF_feature_ansnr_score", "b", "c"]),
        "no feature extractor provides 'VMAF_feature_ansnr_score'",
    ),
    "feature type": (edited(feature_names=[1, 2, 3]), "must be strings"),
    "no features": (edited(feature_names=[]), "1 to 64"),
    "many features": (edited(feature_names=["a"] * 65), "1 to 64"),
    "options length": (edited(feature_opts_dicts=[{}]), "as many elements"),
    "options type": (edited(feature_opts_dicts=[{"a": [1]}, {}, {}]), "must be a number"),
    "option name": (edited(feature_opts_dicts=[{"a b": 1}, {}, {}]), "not an option name"),
    "slopes length": (edited(slopes=[1, 2]), "slopes must be a list of 4 numbers"),
    "slopes type": (edited(slopes=[1, 2, True, 4]), "slopes must be a number"),
    "slopes zero": (edited(slopes=[0, 2, 3, 4]), "must not be 0"),
    "slopes infinite": (edited(slopes=[1e308 * 10, 2, 3, 4]), "not a finite number"),
    "huge integer": (edited(slopes=[10**400, 2, 3, 4]), "must be finite"),
    "clip": (edited(score_clip=[100, 0]), "smallest, largest"),
    "chroma zero": (edited(chroma_correction_parameter=0), "must not be 0"),
    "chroma features": (
        edited(feature_names=["Cambi_feature_cambi_score"] * 3),
        "exactly one feature of detail",
    ),
    "transform type": (edited(score_transform=[1]), "must be a JSON object"),
    "transform number": (edited(score_transform={"p0": "1"}), "p0 must be a number"),
    "rectification": (edited(score_transform={"out_gte_in": True}), 'must be "true" or "false"'),
    "enabled": (edited(score_transform={"enabled": "true"}), "enabled must be true or false"),
    "one knot": (edited(score_transform={"knots": [[0, 0]]}), "two or more"),
    "many knots": (edited(score_transform={"knots": [[i, i] for i in range(11)]}), "1 to 10"),
    "knots fall": (edited(score_transform={"knots": [[0, 1], [1, 0]]}), "must not fall"),
    "knots stand": (edited(score_transform={"knots": [[0, 0], [0, 1]]}), "increasing x"),
    "kernel": (with_text("kernel_type rbf", "kernel_type linear"), "must have kernel_type rbf"),
    "svm type": (with_text("nu_svr", "c_svc"), "must have svm_type nu_svr"),
    "no SV": (with_text("\nSV\n", "\n"), "no SV section"),
    "total": (with_text("total_sv 7", "total_sv 8"), "announces '8' support vectors, 7 follow"),
    "gamma": (with_text("gamma 0", "gamma -0"), "gamma must be positive"),
    "gamma nan": (with_text("gamma 0", "gamma nan #"), "gamma must be a number"),
    "rho inf": (with_text("rho ", "rho inf #"), "rho must be a number"),
    "index range": (with_text(" 3:", " 4:"), "indices from 1 to 3"),
    "index order": (with_text(" 3:", " 1:"), "increasing order"),
    "index text": (with_text(" 3:", " x:"), "increasing order"),
    "not a model": ({"a": 1}, "neither a model"),
    "gap": ({"0": edited(), "2": edited()}, "neither a model"),
    "order": ({"1": edited(), "0": edited()}, "neither a model"),
    "one member": ({"0": edited()}, "neither a model"),
    "members differ": (
        {"0": edited(), "1": edited(feature_opts_dicts=[{"a": 1}, {}, {}])},
        "same features",
    ),
    "forms differ": (
        {"0": edited(), "1": edited(), "2": edited(score_clip=[0, 1])},
        "members of a collection must agree",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_libvmaf_files(case):
    content, message = BAD[case]
    with pytest.raises(ValueError, match=message) as caught:
        libvmaf_json.read(json.dumps(content), "evil.json")
    sentence = str(caught.value)
    assert sentence.startswith("evil.json")
    assert sentence.endswith(".")
    assert len(sentence) < 400


def test_too_many_support_vectors():
    content = libvmaf_file(np.random.default_rng(3), vectors=10_001)
    with pytest.raises(ValueError, match="1 to 10000 support vectors"):
        libvmaf_json.read(json.dumps(content), "evil.json")


RAW = {
    "not JSON": (b"{", "not a JSON file"),
    "pickle": (b"\x80\x04\x95", "not UTF-8"),
    "empty": (b"", "not a JSON file"),
    "a list": (b"[1]", "must be a JSON object"),
    "nested": (b'{"a":' + b"[" * 200_000, "nested too deeply"),
    "NaN": (b'{"a": NaN}', "NaN is not a finite number"),
    "twice": (b'{"a": 1, "a": 2}', "same key twice"),
    "long integer": (b'{"a": ' + b"9" * 5000 + b"}", "not a JSON file"),
    "large": (b'{"a": "' + b"x" * untrusted.MAX_BYTES + b'"}', "larger than 16 MiB"),
}


@pytest.mark.parametrize("case", RAW)
def test_bad_bytes(case, tmp_path):
    content, message = RAW[case]
    path = tmp_path / "evil.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(path)
    assert str(caught.value).startswith("evil.json")
    assert len(str(caught.value)) < 400


WRONG = (None, True, 0, -1.5, "", "x", [], {}, [None], [[]], {"a": None}, [1, 2, 3, 4], 1e308)


def paths(value, before=()):
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*before, key))
    if isinstance(value, list) and value:
        yield from paths(value[0], (*before, 0))
    yield before


@pytest.mark.parametrize("form", ("libvmaf", "own"))
def test_any_wrong_value_is_a_value_error_or_a_model(form):
    content = collection_file(
        np.random.default_rng(4), count=2, score_clip=[0, 100], score_transform=KNOTS
    )
    read = libvmaf_json.read
    if form == "own":
        model = libvmaf_json.read(json.dumps(content), "a.json")
        content, read = json.loads(own_json.write(model)), own_json.read
    refused = unnamed = 0
    for path in paths(content):
        for wrong in WRONG:
            broken = {"top": copy.deepcopy(content)}
            inner = broken
            for key in ("top", *path)[:-1]:
                inner = inner[key]
            inner[("top", *path)[-1]] = wrong
            try:
                found = read(json.dumps(broken["top"]), "evil.json")
            except ValueError as error:
                refused += str(error).startswith("evil.json")
                unnamed += not str(error).startswith("evil.json")
            else:
                assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
    assert refused > 100
    assert unnamed == 0


@pytest.mark.parametrize(
    "changes, message",
    (
        ({"schema": "other"}, "schema must be"),
        ({"version": 2}, "version must be 1"),
        ({"direction": "up"}, "direction must be one of higher, lower"),
        ({"name": "../x"}, "name must consist of"),
        ({"svr": {"same_as": "vmaf_v0.6.1"}}, "must hold its numbers itself"),
        ({"members": {"same_as": "vmaf_b_v0.6.3"}}, "must hold its numbers itself"),
    ),
)
def test_bad_own_files(changes, message):
    values = json.loads(own_json.write(load_model("vmaf_v0.6.1"))) | changes
    with pytest.raises(ValueError, match=message):
        own_json.read(json.dumps(values), "evil.json")


@pytest.mark.parametrize(
    "same_as, message",
    (
        ("vmaf_v9", "which is not a shipped model"),
        ("vmaf_v0.6.1neg", "must hold its numbers itself"),
        ("vmaf_v1.0.16_3d0h", "another number of features"),
    ),
)
def test_bad_references(same_as, message, tmp_path):
    values = json.loads(own_json.write(load_model("vmaf_v0.6.1"))) | {"svr": {"same_as": same_as}}
    (tmp_path / "mine.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match=message):
        load_model(tmp_path / "mine.json")


def test_load_by_name_alias_and_path(tmp_path):
    model = load_model("vmaf_v1.0.16_3d0h")
    assert load_model("vmaf_v1") is model
    (tmp_path / "own.json").write_text(own_json.write(model))
    assert_same(load_model(tmp_path / "own.json"), model)
    (tmp_path / "theirs.json").write_text(libvmaf_json.write(model))
    theirs = load_model(str(tmp_path / "theirs.json"))
    assert theirs.name == "theirs"
    assert theirs.features == model.features
    with pytest.raises(ValueError, match="read-only"):
        model.slopes[0] = 1.0


def test_a_copied_shipped_file_still_loads(tmp_path):
    text = (model_folder() / "vmaf_float_b_v0.6.3.json").read_text()
    (tmp_path / "copy.json").write_text(text)
    assert_same(load_model(tmp_path / "copy.json"), load_model("vmaf_float_b_v0.6.3"))


@pytest.mark.parametrize(
    "typo, guess",
    (
        ("vmaf_v061", "vmaf_v0.6.1"),
        ("vmaf_v0.6.1.json", "vmaf_v0.6.1"),
        ("models/vmaf_v1.0.16_3d0.json", "vmaf_v1.0.16_3d0h"),
        ("zzz", "known are funque_2022"),
    ),
)
def test_typos_get_suggestions(typo, guess):
    with pytest.raises(ValueError, match="no model named") as caught:
        load_model(typo)
    assert guess in str(caught.value)


def test_listing():
    records = {record.name: record for record in list_models()}
    assert len(records) == 25
    assert set(ALIASES.values()) <= set(records)
    assert records["vmaf_v1.0.16_1d5h_2160"].aliases == ("vmaf_v1_4k",)
    assert records["vmaf_b_v0.6.3"].members == 20
    assert records["vmaf_4k_rb_v0.6.2"].members == 19
    assert records["vmaf_v1.0.16_3d0h_2160"].info.score_range == (0, 110)
    assert records["funque_2022"].info.direction == "lower"
    assert "`vmaf_v0.6.1`" in (model_folder() / "SOURCES.md").read_text()


def test_options_keep_their_types():
    features = load_model("vmaf_v1_phone").features
    adm = dict(features[2].options)
    assert (adm["adm_csf_mode"], type(adm["adm_csf_mode"])) == (2, int)
    assert (adm["adm_norm_view_dist"], type(adm["adm_norm_view_dist"])) == (5.0, float)
    assert dict(features[1].options)["speed_prescale_method"] == "bilinear"
    hfr = dict(load_model("vmaf_v1.0.16_hfr_3d0h").features[3].options)
    assert hfr["motion_moving_average"] is True


def test_settings_keep_six_digits():
    model = with_options(
        load_model("vmaf_v0.6.1"), {"adm": {"a": 0.123456789, "b": 1080, "c": True, "d": "0.1"}}
    )
    assert model.features[0].settings == {"a": 0.123457, "b": 1080, "c": True, "d": "0.1"}
    assert model.features[1].settings == {}


@pytest.mark.parametrize("file_format", MODEL_FORMATS)
@pytest.mark.parametrize("name", ("vmaf_v1.0.16_3d0h", "vmaf_b_v0.6.3"))
def test_saved_models_come_back(tmp_path, name, file_format):
    model = load_model(name)
    save_model(model, tmp_path / f"{name}.json", file_format=file_format)
    again = load_model(tmp_path / f"{name}.json")
    assert again.features == model.features
    assert_same(numbers_only(again), numbers_only(model))
    assert (again.info == model.info) == (file_format == "jaxvqa")


def test_a_model_that_could_not_be_read_is_not_written(tmp_path):
    model = load_model("vmaf_v0.6.1")
    path = tmp_path / "mine.json"
    with pytest.raises(ValueError, match="name must consist of letters"):
        save_model(dataclasses.replace(model, info=ModelInfo()), path)
    with pytest.raises(ValueError, match="file_format must be one of jaxvqa, libvmaf"):
        save_model(model, path, file_format="xml")
    assert not path.exists()
