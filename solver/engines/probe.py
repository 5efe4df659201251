""" "Test connection": what an engine can really do, found out by asking it."""

from __future__ import annotations

import json
import time

from solver.engines.check import Check
from solver.engines.openai_api import OpenAIEngine
from solver.engines.openai_errors import Setback
from solver.engines.protocol import ChatRequest, Message, Role, Sampling

_GRAMMAR = 'start: "{\\"answer\\": " /[0-9]/ "}"\n'


def probe(engine: OpenAIEngine) -> list[Check]:
    """Reachable and models listed, streaming, usage, seed, structured output. About five short calls of one
    model.

    Stops after the first two when the server does not answer at all.
    """
    checks = [_models(engine)]
    stream = _streaming(engine)
    checks.extend(stream)
    if stream[0].ok:
        checks.extend([_seed(engine), _structured(engine)])
    return checks


def _request(engine: OpenAIEngine, text: str, *, max_tokens: int, temperature: float = 0.0) -> ChatRequest:
    sampling = Sampling(temperature=temperature, top_p=1.0, max_tokens=max_tokens, seed=20_24)
    return ChatRequest(Role.CODING, engine.spec.model_for(Role.CODING), (Message("user", text),), sampling)


def _models(engine: OpenAIEngine) -> Check:
    started = time.monotonic()
    try:
        listed = engine.run(engine.list_models())
    except Setback as setback:
        return Check("models", None, str(setback), seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    missing = sorted(set(engine.info().models) - set(listed))
    if missing:
        shown = ", ".join(listed[:12]) or "none"
        mend = f"Change models, or serve {', '.join(missing)} under that name."
        return Check("models", False, f"It lists {shown}; not {', '.join(missing)}.", mend, seconds)
    return Check(
        "models", True, f"It lists every model this engine names ({len(listed)} in all).", "", seconds
    )


def _streaming(engine: OpenAIEngine) -> list[Check]:
    started = time.monotonic()
    request = _request(engine, "Count from 1 to 9, separated by spaces.", max_tokens=32)
    try:
        answer = engine.run(engine.ask_once(engine.payload(request)))
    except Setback as setback:
        return [Check("answers", False, str(setback), seconds=time.monotonic() - started)]
    seconds = time.monotonic() - started
    pieces = len(answer.parts)
    streams = Check("streaming", pieces > 1, f"{pieces} pieces in {seconds:.2f} s.", seconds=seconds)
    if answer.reported is not None:
        usage = Check(
            "usage", True, f"{answer.reported[0]} prompt and {answer.reported[1]} answer tokens reported."
        )
    else:
        mend = "Token counts of this engine are estimates and are marked so."
        usage = Check("usage", False, "It reports no token usage in streams.", mend)
    return [
        Check("answers", True, f"It answered {len(answer.text)} characters.", seconds=seconds),
        streams,
        usage,
    ]


def _seed(engine: OpenAIEngine) -> Check:
    started = time.monotonic()
    if not engine.spec.capabilities.seed:
        return Check("seed", None, "Not asked: capabilities.seed is false.")
    request = _request(engine, "Write eight random words.", max_tokens=24, temperature=1.0)
    try:
        texts = [engine.run(engine.ask_once(engine.payload(request))).text for _ in range(2)]
    except Setback as setback:
        return Check(
            "seed", False, str(setback), "Set capabilities.seed to false.", time.monotonic() - started
        )
    seconds = time.monotonic() - started
    if texts[0] == texts[1]:
        return Check("seed", True, "The same seed gave the same text twice at temperature 1.", "", seconds)
    mend = "Set capabilities.seed to false; runs at a temperature above 0 will not repeat."
    return Check("seed", False, "The same seed gave two different texts at temperature 1.", mend, seconds)


def _structured(engine: OpenAIEngine) -> Check:
    started = time.monotonic()
    asked = _request(engine, "Write a poem about rain.", max_tokens=64)
    request = ChatRequest(asked.role, asked.model, asked.messages, asked.sampling, _GRAMMAR)
    declared = engine.spec.capabilities.structured_output
    try:
        answer = engine.run(engine.ask_once(engine.payload(request, constrain=True)))
        obeyed = _obeys(answer.text)
        detail = "A grammar was obeyed." if obeyed else "A grammar was accepted and not obeyed."
    except Setback as setback:
        obeyed, detail = False, str(setback)
    mend = "" if obeyed == declared else f"Set capabilities.structured_output to {str(obeyed).lower()}."
    return Check("structured output", obeyed, detail, mend, time.monotonic() - started)


def _obeys(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and value.keys() == {"answer"} and isinstance(value["answer"], int)
