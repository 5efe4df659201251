from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import EngineRefused, Message, Role
from solver.engines.spec import BadSpec, EngineSpec, parse_specs
from tests.engines.asking import request

TEACHER = {
    "name": "teacher",
    "kind": "openai",
    "base_url": "https://api.example.org/v1/",
    "key_env": "TEACHER_API_KEY",
    "models": {"default": "big", "coding": "coder"},
}


def sentences(data: dict[str, Any]) -> str:
    with pytest.raises(BadSpec) as caught:
        EngineSpec.parse(data)
    return "\n".join(caught.value.sentences)


def test_a_role_is_served_by_its_own_model_its_agents_or_the_default() -> None:
    spec = EngineSpec.parse({**TEACHER, "models": {"default": "d", "planning": "p", "coding": "c"}})
    assert [spec.model_for(role) for role in (Role.CODING, Role.CONFIDENCE, Role.RETRIEVAL)] == [
        "c",
        "p",
        "d",
    ]
    own = EngineSpec.parse({**TEACHER, "models": {"default": "d", "planning": "p", "confidence": "s"}})
    assert own.model_for(Role.CONFIDENCE) == "s"


def test_a_request_takes_the_engines_sampling_defaults() -> None:
    spec = EngineSpec.parse({**TEACHER, "sampling": {"temperature": 0.7, "max_tokens": 99}})
    request = spec.request(Role.CODING, (Message("user", "Hi"),), seed=5)
    assert (request.model, request.sampling.temperature) == ("coder", 0.7)
    assert (request.sampling.max_tokens, request.sampling.seed) == (99, 5)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"base_url": None}, "needs base_url"),
        ({"base_url": "ftp://x/v1"}, "base_url: must be a full address"),
        ({"base_url": "https://user:pw@api.example.org/v1"}, "must hold no user, password"),
        ({"base_url": "https://api.example.org/v1?key=1"}, "must hold no user, password, query"),
        ({"base_url": "https://api.example.org:99999/v1"}, "must be a full address"),
        ({"base_url": "http://api.example.org/v1"}, "plain http, so the key would travel unencrypted"),
        ({"models": {}}, "needs models"),
        ({"models": {"poet": "x"}}, "has no role 'poet'; the roles are"),
        ({"models": {"coding": " "}}, "names no model for 'coding'"),
        ({"timeouts": {"total_s": 0}}, "timeouts.total_s: Input should be greater than 0."),
        ({"rpm": 0}, "rpm: Input should be greater"),
        ({"colour": "red"}, "colour: there is no such field; check the spelling."),
        ({"base": "/weights"}, "base means nothing to an engine of kind openai"),
        ({"name": "Über engine"}, "name: String should match"),
    ],
)
def test_a_wrong_description_says_where_and_what_in_a_sentence(change: dict[str, Any], expected: str) -> None:
    told = sentences({**TEACHER, **change})
    assert expected in told
    assert all(line.startswith(("Engine ", "An engine")) and line.endswith(".") for line in told.split("\n"))


@pytest.mark.parametrize("name", ["MCL_SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_the_labs_own_secrets_are_no_keys_of_engines(name: str) -> None:
    told = sentences({**TEACHER, "key_env": name})
    assert f"must not be {name}, which is the lab's own" in told


def test_another_secret_of_the_machine_is_sent_only_where_the_operator_allows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An engine that is stored already is still read: it is refused when it is asked."""
    monkeypatch.setenv("HF_TOKEN", "hf-secret")
    spec = EngineSpec.parse({**TEACHER, "key_env": "HF_TOKEN"})
    assert "must end in _API_KEY" in spec.key_objection and "MCL_ENGINE_KEYS" in spec.key_objection
    engine = OpenAIEngine(spec)
    with pytest.raises(EngineRefused, match="HF_TOKEN does not"):
        engine.chat(request("Hello"))
    engine.close()
    monkeypatch.setenv("MCL_ENGINE_KEYS", "OTHER, HF_TOKEN")
    assert spec.key_objection == "" and EngineSpec.parse(TEACHER).key_objection == ""
    monkeypatch.setenv("MCL_ENGINE_KEYS", "DATABASE_URL")
    assert "which is the lab's own" in sentences({**TEACHER, "key_env": "DATABASE_URL"})


def test_a_key_pasted_in_place_of_its_name_is_refused_without_being_repeated() -> None:
    told = sentences({**TEACHER, "key_env": "sk-0123456789abcdef"})
    assert "must be the NAME of an environment variable" in told
    assert "0123456789" not in told


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://127.0.0.1/v1", "this machine; set allow_loopback"),
        ("https://[::1]/v1", "this machine"),
        ("https://[::ffff:127.0.0.1]/v1", "this machine"),
        ("https://2130706433/v1", "this machine"),
        ("https://0x7f.1/v1", "this machine"),
        ("https://10.1.2.3/v1", "private network; set allow_private"),
        ("https://192.168.0.9/v1", "private network"),
        ("https://[fd12::1]/v1", "private network"),
        ("https://[64:ff9b::a00:1]/v1", "private network"),
        ("https://100.64.0.1/v1", "private network"),
        ("https://169.254.1.1/v1", "private network"),
        ("https://0.0.0.0/v1", "not the address of a server"),
        ("https://169.254.169.254/v1", "metadata service"),
    ],
)
def test_addresses_off_the_public_network_need_leave(url: str, expected: str) -> None:
    assert expected in sentences({**TEACHER, "base_url": url})


def test_leave_covers_what_it_names_and_never_the_metadata_service() -> None:
    EngineSpec.parse({**TEACHER, "base_url": "http://127.0.0.1:8000/v1", "allow_loopback": True})
    EngineSpec.parse({**TEACHER, "base_url": "http://10.0.0.5:8000/v1", "allow_private": True})
    leave = {"allow_loopback": True, "allow_private": True}
    assert "metadata" in sentences({**TEACHER, "base_url": "https://169.254.169.254/v1", **leave})
    assert "this machine" in sentences({**TEACHER, "base_url": "https://127.0.0.1/v1", "allow_private": True})


def test_a_local_engine_only_names_adapters_it_has() -> None:
    local = {"name": "micro", "kind": "transformers", "base": "base", "adapters": {"coding": "a/coding"}}
    assert EngineSpec.parse(local).model_for(Role.CODING) == "base"
    told = sentences({**local, "models": {"coding": "coder"}})
    assert "coding names 'coder', which is not among base, coding" in told
    assert "no adapter may be called 'base'" in sentences({**local, "adapters": {"base": "x"}})
    assert "needs base" in sentences({"name": "micro", "kind": "transformers"})


def test_a_recording_is_always_simulated() -> None:
    spec = EngineSpec.parse({"name": "demo", "kind": "recorded", "recordings": ["a.jsonl"]})
    assert spec.simulated
    told = sentences({"name": "demo", "kind": "recorded", "recordings": ["a.jsonl"], "simulated": False})
    assert "always simulated" in told


def test_the_public_copy_names_weights_by_content_and_holds_no_path(tmp_path: Path) -> None:
    (tmp_path / "coding").mkdir()
    (tmp_path / "coding" / "adapter_model.safetensors").write_bytes(b"abc")
    spec = EngineSpec.parse(
        {
            "name": "micro",
            "kind": "transformers",
            "base": "base",
            "adapters": {"coding": "coding", "gone": "g"},
        },
        root=tmp_path,
    )
    public = spec.public()
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert public["adapters"] == {"coding": sha, "gone": None}
    assert public["digest"] == spec.digest()
    assert str(tmp_path) not in str(public)


def test_the_digest_changes_with_every_setting() -> None:
    one = EngineSpec.parse(TEACHER)
    assert one.digest() == EngineSpec.parse(dict(reversed(TEACHER.items()))).digest()
    assert one.digest() != EngineSpec.parse({**TEACHER, "rpm": 60}).digest()


def test_every_bad_engine_of_a_list_is_reported() -> None:
    with pytest.raises(BadSpec) as caught:
        parse_specs([{**TEACHER, "rpm": 0}, TEACHER, TEACHER, {"name": "x", "kind": "magic"}])
    told = caught.value.sentences
    assert len(told) == 3
    assert "'teacher' is described twice" in told[1]
    assert list(parse_specs([TEACHER])) == ["teacher"]


def test_a_checkout_that_was_moved_has_the_same_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    from solver.engines import digests as module

    def digest(root: str, base: str) -> str:
        monkeypatch.setattr(module, "_CHECKOUT", Path(root))
        entry = {"name": "m", "kind": "transformers", "base": base, "adapters": {"a": f"{base}/a"}}
        return EngineSpec.parse(entry).digest()

    here = digest("/here/lab", "/here/lab/micro/base")
    assert here == digest("/there", "/there/micro/base")
    assert here != digest("/there", "/there/micro/other")
    assert digest("/there", "/models/base") != digest("/there", "/models/base2")


def test_the_programs_and_folders_of_a_vllm_are_found_from_where_it_is_described(tmp_path: Path) -> None:
    (tmp_path / "models/tiny").mkdir(parents=True)

    def described(model: str, python: str) -> tuple[str, str]:
        given = {
            "name": "lite",
            "kind": "openai",
            "base_url": "http://127.0.0.1:8100/v1",
            "allow_loopback": True,
            "models": {"default": "base"},
            "vllm": {"python": python, "model": model},
        }
        settings = EngineSpec.parse(given, tmp_path).vllm
        assert settings is not None
        return settings.model, settings.python

    own = f"{tmp_path}/.venv-vllm/bin/python"
    assert described("models/tiny", ".venv-vllm/bin/python") == (f"{tmp_path}/models/tiny", own)
    assert described("Qwen/Qwen2.5-7B-Instruct", own) == ("Qwen/Qwen2.5-7B-Instruct", own)
