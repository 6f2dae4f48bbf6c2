import pytest

from jaxvqa.fusion._catalog import load_request
from jaxvqa.fusion._request import ModelRequest, parse_model_text


def test_overloads_are_merged():
    request = parse_model_text("version=vmaf_v1.0.16_3d0h:cambi.enc_width=1280:adm.adm_csf_mode=1")
    features = load_request(request).features
    assert dict(features[0].options)["enc_width"] == "1280"
    assert dict(features[0].options)["cambi_max_val"] == 17
    assert dict(features[2].options)["adm_csf_mode"] == "1"
    # as in libvmaf, an option for a feature that the model doesn't use changes nothing
    other = load_request(parse_model_text("vmaf_v1:vif.vif_enhn_gain_limit=2"))
    assert other.features == load_request(parse_model_text("vmaf_v1")).features
    with pytest.raises(ValueError, match="no feature named 'viff': did you mean vif"):
        load_request(parse_model_text("vmaf_v1:viff.vif_enhn_gain_limit=2"))


REQUESTS = {
    "vmaf_v0.6.1": ModelRequest("vmaf_v0.6.1"),
    "vmaf_v0.6.1:enable_transform": ModelRequest("vmaf_v0.6.1", enable_transform=True),
    "version=vmaf_v0.6.1:name=a:enable_transform=true:disable_clip": ModelRequest(
        "vmaf_v0.6.1", "version", "a", True, True
    ),
    "disable_clip=false:path=/a/b=c.json": ModelRequest("/a/b=c.json", "path"),
    "path=x.json:cambi.enc_width=9:cambi.enc_height=8:vif.vif_enhn_gain_limit=1.0": ModelRequest(
        "x.json",
        "path",
        overloads={
            "cambi": {"enc_width": "9", "enc_height": "8"},
            "vif": {"vif_enhn_gain_limit": "1.0"},
        },
    ),
}


@pytest.mark.parametrize("text", REQUESTS)
def test_model_syntax(text):
    assert parse_model_text(text) == REQUESTS[text]


@pytest.mark.parametrize(
    "text, kind, file",
    (
        (r"path=C:\models\x.json:name=n", "path", r"C:\models\x.json"),
        (r"C:\models\x.json:name=n", "any", r"C:\models\x.json"),
        ("path=/a:b/x=1.json:name=n", "path", "/a:b/x=1.json"),
        ("path=/d=1:e=2/model:name=n:adm.x=1", "path", "/d=1:e=2/model"),
        ("x=1.json:name=n", "any", "x=1.json"),
    ),
)
def test_names_of_files_hold_any_characters(text, kind, file):
    found = parse_model_text(text)
    assert (found.kind, found.source, found.name) == (kind, file, "n")


@pytest.mark.parametrize(
    "text, message",
    (
        ("", "must name one model"),
        ("name=a", "must name one model"),
        ("version=a:path=b", "must name one model"),
        ("a:version=b", "must name one model"),
        ("version=", "must name one model"),
        ("a:name=", "empty name"),
        ("a:enable_transform=2", "must be true or false"),
        ("version=a|version=b", "give each model by itself"),
        ("a:b", "unknown part 'b'"),
        ("a:model=b", "unknown part"),
        ("path=a.json:b=1", "unknown part 'b=1'"),
        ("a:name=b:name=c", "name twice"),
        ("a:cambi.x=1:cambi.x=2", "cambi.x twice"),
        ("a:cambi.x", "not <extractor>.<option>=<value>"),
        ("a:.x=1", "not <extractor>.<option>=<value>"),
    ),
)
def test_bad_model_syntax(text, message):
    with pytest.raises(ValueError, match=message):
        parse_model_text(text)


def test_requests_for_models_that_do_not_exist():
    with pytest.raises(ValueError, match=r"no shipped model 'vmaf_v0.6': did you mean vmaf_v0.6"):
        load_request(ModelRequest("vmaf_v0.6", "version"))
    with pytest.raises(ValueError, match="no model file"):
        load_request(ModelRequest("vmaf_v0.6.1", "path"))
