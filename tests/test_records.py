import dataclasses
import json

import numpy as np
import pytest

import jaxvqa
from jaxvqa._scoring.plan import make_plan
from jaxvqa._scoring.request import ScoreRequest
from jaxvqa._scoring.result import ClipInfo
from jaxvqa.features._registry import by_key
from jaxvqa.fusion import _libvmaf_json as libvmaf_json
from jaxvqa.fusion import _own_json as own_json
from jaxvqa.fusion._model import FeatureRef
from tests import clips, tolerances
from tests.fusion_files import libvmaf_file
from tests.oracles import fusion as oracle

ADM_SCALES = [f"integer_adm_scale{s}" for s in range(4)]
# several FUNQUE sets have this output
SHARED = "FUNQUE_feature_dlm_channel_y_scale_2_score"


def model_file(path, keys):
    rng = np.random.default_rng(4)
    path.write_text(json.dumps(libvmaf_file(rng, count=len(keys), feature_names=keys)))
    return path


def test_adm_scales_are_keys_of_libvmaf_model_files(tmp_path):
    path = model_file(tmp_path / "scales.json", ADM_SCALES)
    model = jaxvqa.load_model(path)
    assert [f.extractor for f in model.features] == ["adm"] * 4
    y = clips.textured(np.random.default_rng(0), (2, 34, 40))
    result = jaxvqa.score(y, y // 2, model=path, features=["adm"])
    rows = np.stack([result.frames[key] for key in ADM_SCALES], 1)
    assert len(np.unique(rows)) == 8
    numbers = oracle.from_libvmaf(json.loads(path.read_text())["model_dict"])
    expected = [oracle.published(numbers, oracle.raw(numbers, row)) for row in rows]
    np.testing.assert_allclose(
        result.frames["vmaf"], expected, rtol=0, atol=tolerances.FUSION_ORACLE
    )


def test_a_key_of_several_features_needs_a_file_that_names_one(tmp_path):
    assert len(by_key()[SHARED]) > 1
    path = model_file(tmp_path / "funque.json", [SHARED])
    with pytest.raises(
        ValueError, match=r"may be of y_funque_plus or .* use jaxvqa's model format"
    ):
        jaxvqa.load_model(path)
    content = json.loads(path.read_text())
    content["model_dict"]["feature_names"] = ADM_SCALES[:1]
    model = libvmaf_json.read(json.dumps(content), "scale.json")
    for extractor in ("y_funque_plus", "3c_funque_plus"):
        own = dataclasses.replace(model, features=(FeatureRef(extractor, SHARED),))
        path.write_text(own_json.write(own))
        plan = make_plan(ScoreRequest(model=path), ClipInfo(64, 48, 8, "420"))
        assert [e.feature.name for e in plan.extractions] == [extractor]
        assert plan.models[0].inputs == ((plan.extractions[0].key, "dlm_channel_y_scale_2"),)
