"""Testing a connection, for any kind of engine, and the cheap glance that `doctor` takes."""

from __future__ import annotations

import time
from pathlib import Path

from solver import engine_book
from solver.engines.check import Check
from solver.engines.digests import adapter_digest
from solver.engines.protocol import ChatRequest, EngineError, Message, Role, Sampling
from solver.engines.registry import open_engine
from solver.engines.sockets import address_of
from solver.engines.spec import EngineKind, EngineSpec


def thorough(spec: EngineSpec) -> list[Check]:
    """Ask the engine to do everything it is said to do. May cost a few short calls of a hosted model."""
    if spec.kind is EngineKind.OPENAI and not spec.simulated:  # a program need not understand the probes
        from solver.engines.openai_api import OpenAIEngine
        from solver.engines.probe import probe

        try:
            engine = open_engine(spec)
        except EngineError as error:
            return [Check("configuration", False, str(error))]
        assert isinstance(engine, OpenAIEngine)
        return probe(engine)
    found = glance(spec)
    if spec.kind is EngineKind.TRANSFORMERS and all(check.ok for check in found):
        found.append(_short_answer(spec))
    return found


def glance(spec: EngineSpec) -> list[Check]:
    """What can be told without asking a model anything."""
    match spec.kind:
        case EngineKind.OPENAI:
            return [_lists_models(spec)]
        case EngineKind.RECORDED:
            return [_recordings(spec)]
        case EngineKind.TRANSFORMERS:
            return [_weights(spec), *_adapters(spec)]
        case EngineKind.ROUTED:
            return [check for member in spec.members for check in glance(member)]


def _lists_models(spec: EngineSpec) -> Check:
    from solver.engines.openai_api import OpenAIEngine
    from solver.engines.openai_errors import Setback

    try:
        engine = open_engine(spec)
        assert isinstance(engine, OpenAIEngine)
        listed = engine.run(engine.list_models())
    except (EngineError, Setback) as error:
        mend = f"Start the server at {address_of(spec)}, or mend the engine."
        if spec.name in engine_book.shipped():
            mend = "Start the lab with manage.py up, which runs this engine."
        return Check("reachable", False, str(error), mend)
    return Check("reachable", True, f"{address_of(spec)} lists {len(listed)} models")


def _recordings(spec: EngineSpec) -> Check:
    try:
        info = open_engine(spec).info()
    except EngineError as error:
        return Check("recordings", False, str(error))
    return Check("recordings", True, f"{info.label} ({', '.join(Path(f).name for f in spec.recordings)})")


def _weights(spec: EngineSpec) -> Check:
    folder = Path(spec.base or "")
    if not (folder / "config.json").exists() or not list(folder.glob("*.safetensors")):
        return Check(
            "weights",
            False,
            f"no config.json with safetensors in {folder.name}",
            "Put the model's folder there.",
        )
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6
    return Check("weights", True, f"{folder.name}, {size:.1f} MB of safetensors")


def _adapters(spec: EngineSpec) -> list[Check]:
    found = []
    for name, folder in spec.adapters.items():
        digest = adapter_digest(Path(folder))
        detail = f"sha256 {digest[:12]}" if digest else "no adapter_model.safetensors there"
        found.append(
            Check(
                f"adapter {name}", digest is not None, detail, "" if digest else "Mend the adapter's folder."
            )
        )
    return found


def _short_answer(spec: EngineSpec) -> Check:
    request = ChatRequest(
        Role.CODING, spec.model_for(Role.CODING), (Message("user", "print 1"),), Sampling(max_tokens=8)
    )
    began = time.monotonic()
    try:
        reply = open_engine(spec).chat(request)
    except EngineError as error:
        return Check("answers", False, str(error))
    seconds = time.monotonic() - began
    return Check(
        "answers", True, f"{reply.usage.completion_tokens} tokens in {seconds:.2f} s", seconds=seconds
    )
