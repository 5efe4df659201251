"""Describing an OpenAI-compatible server from the browser. Never a key, only the name of its variable.

Engines that name files or programs of this machine are described on this machine (`manage.py engine add --file`): a
browser may belong to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from solver import engine_book
from solver.engines.protocol import Role
from solver.engines.spec import DEFAULT, BadSpec, EngineKind, EngineSpec
from solver.models import Engine
from solver.serving.models import EngineService, EngineTest

ROLES = tuple(role.value for role in Role)
_NUMBERS = ("max_concurrency", "rpm", "context_tokens")
_SAMPLING = ("temperature", "max_tokens", "seed")
_TEXTS = ("label", "base_url", "key_env", "price_table")
_SWITCHES = ("allow_loopback", "allow_private")
_ROOM = 200
STORES = (
    ("auto", "yes, but for draws without a seed"),
    ("always", "yes, draws without a seed too"),
    ("never", "no"),
)


class EngineRefused(ValueError):
    """`sentences`: what is wrong and how to mend it."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class EngineForm:
    """`values` fill the fields; `name` is fixed while an engine is edited."""

    values: dict[str, Any]
    editing: bool = False
    managed: bool = False
    errors: tuple[str, ...] = ()
    roles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def stores(self) -> tuple[tuple[str, str], ...]:
        return STORES


def blank() -> EngineForm:
    values = {
        "takes_seed": True,
        "max_concurrency": 8,
        "temperature": 0,
        "max_tokens": 4096,
        "stored_answers": "auto",
    }
    return EngineForm(values, roles=[(role, "") for role in ROLES])


def of(spec: EngineSpec) -> EngineForm:
    values: dict[str, Any] = {name: getattr(spec, name) for name in (*_TEXTS, *_NUMBERS, *_SWITCHES)}
    values |= {name: getattr(spec.sampling, name) for name in _SAMPLING}
    values |= {
        "name": spec.name,
        "model": spec.models.get(DEFAULT, ""),
        "stored_answers": spec.stored_answers,
        "structured_output": spec.capabilities.structured_output,
        "takes_seed": spec.capabilities.seed,
    }
    roles = [(role, spec.models.get(role, "")) for role in ROLES]
    return EngineForm(values, editing=True, managed=spec.vllm is not None, roles=roles)


def refused(sent: QueryDict, error: EngineRefused, *, editing: EngineSpec | None) -> EngineForm:
    """The form as it was sent, but for what may be a key typed into the wrong field."""
    values: dict[str, Any] = {name: sent.get(name, "")[:_ROOM] for name in sent}
    values["key_env"] = ""
    values["name"] = editing.name if editing else values.get("name", "")
    for name in (*_SWITCHES, "structured_output", "takes_seed"):
        values[name] = name in sent
    roles = [(role, sent.get(f"model.{role}", "")[:_ROOM]) for role in ROLES]
    managed = editing is not None and editing.vllm is not None
    return EngineForm(values, editing is not None, managed, error.sentences, roles)


def save(sent: QueryDict, editing: EngineSpec | None = None) -> EngineSpec:
    """Store what the form says over what the engine is. Raises EngineRefused, and stores nothing."""
    name = editing.name if editing else sent.get("name", "").strip()
    if editing is None and name in {spec.name for spec in engine_book.all_engines()}:
        raise EngineRefused((f"There is an engine {name!r} already; edit it, or choose another name.",))
    data = (
        editing.model_dump(mode="json", exclude_defaults=True)
        if editing
        else {"kind": EngineKind.OPENAI.value}
    )
    data["name"] = name
    _overlay(data, sent, managed=bool(data.get("vllm")))
    try:
        spec = EngineSpec.parse(data)
    except BadSpec as error:
        raise EngineRefused(error.sentences) from None
    if spec.key_objection:
        raise EngineRefused((spec.key_objection,))
    stored = spec.model_dump(mode="json", exclude_defaults=True)
    Engine.objects.update_or_create(name=spec.name, defaults={"spec": stored})
    return spec


def _overlay(data: dict[str, Any], sent: QueryDict, *, managed: bool) -> None:
    """A field that is empty in the form is left out, so that its default holds."""
    texts = [name for name in _TEXTS if not (managed and name in ("base_url", "key_env"))]
    for name in (*texts, *_NUMBERS):
        _put(data, name, sent.get(name, "").strip())
    if not managed:
        for name in _SWITCHES:
            _put(data, name, name in sent)
        models = {DEFAULT: sent.get("model", ""), **{role: sent.get(f"model.{role}", "") for role in ROLES}}
        data["models"] = {role: name.strip() for role, name in models.items() if name.strip()}
    sampling = dict(data.get("sampling", {}))
    for name in _SAMPLING:
        _put(sampling, name, sent.get(name, "").strip())
    data["sampling"] = sampling
    can = {"structured_output": "structured_output" in sent, "seed": "takes_seed" in sent}
    data["capabilities"] = {**data.get("capabilities", {}), **can}
    _put(data, "stored_answers", sent.get("stored_answers", ""))


def _put(data: dict[str, Any], name: str, value: Any) -> None:
    if value in ("", False, None):
        data.pop(name, None)
    else:
        data[name] = value


def remove(name: str) -> bool:
    """Forget a configured engine; runs keep their copy of it. False if there is none (shipped ones stay)."""
    removed, _ = Engine.objects.filter(name=name).delete()
    EngineTest.objects.filter(name=name).delete()
    EngineService.objects.filter(name=name).delete()
    return bool(removed)
