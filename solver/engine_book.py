"""The engines this lab knows: those that ship with it and those a team has configured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from micro.engine_spec import OUT_OF_FAMILY, TEACHER, engine_entry, is_in_family, teacher_entry
from micro.engine_spec import TEMPLATES as MICRO_TEMPLATES
from solver.engines.digests import adapter_digest
from solver.engines.protocol import EngineRefused, Role
from solver.engines.spec import BASE, DEFAULT, EngineKind, EngineSpec
from solver.models import Engine, ServedAdapter
from trajectories.models import Problem

RECORDED, MICRO = "recorded", "micro"


class UnknownEngine(LookupError):
    """No such engine; the message lists those there are."""


@cache
def shipped() -> dict[str, EngineSpec]:
    """Engines whose files came with the checkout."""
    root = Path(settings.BASE_DIR)
    specs: dict[str, EngineSpec] = {}
    if (root / "micro/artefact/manifest.json").exists():
        specs[MICRO] = EngineSpec.parse(engine_entry(), root)
        specs[TEACHER] = EngineSpec.parse(teacher_entry(), root)
    if (root / "starter/answers.jsonl").exists():
        specs[RECORDED] = EngineSpec.parse(
            {
                "name": RECORDED,
                "kind": EngineKind.RECORDED,
                "label": "Recorded walkthroughs: authored answers to the starter problems, no model",
                "recordings": ["starter/answers.jsonl"],
                "tokens_per_second": 120,
            },
            root,
        )
    return specs


def described() -> list[EngineSpec]:
    """As configured, without what was promoted: configured engines first, then the shipped ones they do not replace.

    A routed engine is complete once its members are in it; one that leads to an engine that is gone is left out.
    """
    return _complete({})


def all_engines() -> list[EngineSpec]:
    """Every engine as the next run finds it, promoted adapters included."""
    promoted: dict[str, list[ServedAdapter]] = {}
    for row in ServedAdapter.objects.filter(active=True):
        promoted.setdefault(row.engine, []).append(row)
    return _complete(promoted)


def _complete(promoted: Mapping[str, Sequence[ServedAdapter]]) -> list[EngineSpec]:
    own = {row.name: EngineSpec.parse(row.spec) for row in Engine.objects.all()}
    known = {**{name: spec for name, spec in shipped().items() if name not in own}, **own}
    known = {name: _with(spec, promoted.get(name, ())) for name, spec in known.items()}
    ordered = [*(known[name] for name in own), *(spec for name, spec in known.items() if name not in own)]
    return [whole for spec in ordered if (whole := _with_members(spec, known)) is not None]


def _with_members(spec: EngineSpec, known: dict[str, EngineSpec]) -> EngineSpec | None:
    """A routed engine speaks through its default member's templates and limits, unless it has its own."""
    if spec.kind is not EngineKind.ROUTED:
        return spec
    wanted = sorted(set(spec.routes.values()))
    if any(name not in known or known[name].kind is EngineKind.ROUTED for name in wanted):
        return None
    members = tuple(known[name] for name in wanted)
    first = known[spec.routes[DEFAULT]]
    own = spec.model_fields_set
    usual = {
        name: getattr(first, name) for name in ("templates", "context_tokens", "sampling") if name not in own
    }
    simulated = any(member.simulated for member in members)
    return spec.model_copy(update={**usual, "members": members, "simulated": simulated})


def route(student: str, routes: dict[str, str]) -> EngineSpec:
    """The engine in which `student` answers all roles but those of `routes`; configured if it is not yet."""
    parts = [f"{role}-by-{engine}" for role, engine in sorted(routes.items())]
    name = ".".join([student, *parts])
    if len(name) > 64:
        name = f"{name[:47]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    label = f"{student}, {', '.join(f'{role} by {engine}' for role, engine in sorted(routes.items()))}"
    spec = {"name": name, "kind": "routed", "label": label, "routes": {DEFAULT: student, **routes}}
    Engine.objects.get_or_create(name=name, defaults={"spec": spec})
    return get(name)


def _with(spec: EngineSpec, rows: Sequence[ServedAdapter]) -> EngineSpec:
    """The engine that also serves `rows`, each as its role's model."""
    if not rows:
        return spec
    return spec.model_copy(
        update={
            "models": {**spec.models, **{row.role: row.name for row in rows}},
            "adapters": {**spec.adapters, **{row.name: row.folder for row in rows}},
        }
    )


def get(name: str) -> EngineSpec:
    return _find(name, all_engines())


def get_described(name: str) -> EngineSpec:
    return _find(name, described())


def _find(name: str, engines: Sequence[EngineSpec]) -> EngineSpec:
    for spec in engines:
        if spec.name == name:
            return spec
    known = ", ".join(spec.name for spec in engines) or "none yet"
    raise UnknownEngine(f"there is no engine {name!r}; the lab knows: {known}")


def get_unchanged(name: str, copy: dict[str, Any], also: Iterable[str] = ()) -> EngineSpec:
    """The engine a run was started with, serving the very adapters the run names, whatever was promoted since.

    `also`: models that a branch of the run changes to. Raises EngineRefused if it is gone, its description has changed, or an adapter of the run is not what it was.
    """
    try:
        spec = get_described(name)
    except UnknownEngine as error:
        raise EngineRefused(
            f"The engine of this run is gone: {error}. Start a new run with another one."
        ) from None
    if spec.digest() != copy.get("digest"):
        raise EngineRefused(
            f"The settings of engine {name!r} have changed since this run was started; start a new run."
        )
    return serving(spec, [*copy.get("roles", {}).values(), *also], copy.get("adapters", {}))


def serving(spec: EngineSpec, models: Iterable[str], digests: dict[str, Any] | None = None) -> EngineSpec:
    """`spec` with those of its later adapters that `models` names. Raises EngineRefused where one is gone or differs."""
    models = set(models)
    if spec.members:
        members = tuple(serving(member, models, digests) for member in spec.members)
        return spec.model_copy(update={"members": members})
    wanted = models - set(spec.adapters) - {BASE}
    rows = list(ServedAdapter.objects.filter(engine=spec.name, name__in=wanted))
    for row in rows:
        known = (digests or {}).get(row.name, row.digest)
        if known != row.digest or adapter_digest(Path(row.folder)) != row.digest:
            raise EngineRefused(
                f"The adapter {row.name!r} of this run is gone or is not what it was; import it again or start a new run."
            )
    if not rows:
        return spec
    return spec.model_copy(update={"adapters": {**spec.adapters, **{row.name: row.folder for row in rows}}})


def made_for(spec: EngineSpec) -> str | None:
    """The source of the only problems to which this engine's answers mean anything; None where it may answer any."""
    if spec.name == RECORDED:
        return "starter"
    return "micro" if spec.templates == MICRO_TEMPLATES else None


def default_engine(problem: Problem) -> EngineSpec | None:
    """The engine that can answer this problem out of the box; a team's own engine wins over the shipped ones.

    One that simulates, that only routes roles for a distillation, or that was made for one family of problems (a
    reproduction's), is chosen by a person or not at all.
    """
    engines = all_engines()
    for spec in engines:
        own = spec.name not in shipped() and spec.kind is not EngineKind.ROUTED
        if own and not spec.simulated and made_for(spec) is None:
            return spec
    suited = {"starter": RECORDED, "micro": MICRO}.get(problem.source, MICRO)
    return next((spec for spec in engines if spec.name == suited), engines[0] if engines else None)


def default_teacher() -> str:
    """The strong model that a distillation or a supervision asks unless told otherwise: a team's own, else the
    program that plays the teacher of the micro family."""
    own = (
        spec for spec in all_engines() if spec.name not in shipped() and spec.kind is not EngineKind.ROUTED
    )
    return next((spec.name for spec in own), TEACHER)


def concerns(problem: Problem, spec: EngineSpec) -> list[str]:
    """What a person should know before pressing Solve. Sentences; empty when there is nothing to say."""
    found = []
    if spec.name == RECORDED and problem.source != "starter":
        found.append(
            "The recorded engine holds answers to the starter problems only; this run would end at its first step."
        )
    if made_for(spec) == "micro" and not is_in_family(problem.spec().statement):
        found.append(OUT_OF_FAMILY)
    return found


ROLES_WITH_ADAPTERS = tuple(role.value for role in Role if role is not Role.SUPERVISOR)


def roles_of(spec: EngineSpec, adapters: Mapping[str, bool | str] | None = None) -> dict[str, str]:
    """Model or adapter per role. `adapters[role]` False: that role is served by the base without its adapter; a name:
    by that adapter, whatever serves the role otherwise.

    The base of an engine that names its models itself (an OpenAI-compatible server) is its default model.
    """
    models = {role.value: spec.model_for(role) for role in Role if role is not Role.SUPERVISOR}
    for role, on in (adapters or {}).items():
        if on is not True:
            models[role] = on or _base_of(spec, Role(role))
            if role == Role.PLANNING:
                # the planning agent's second call is its adapter's too
                models[Role.CONFIDENCE.value] = on or _base_of(spec, Role.CONFIDENCE)
    return models


def adapted_roles(spec: EngineSpec) -> dict[str, str]:
    """What serves each of the four agents, those left out that the base serves."""
    served = roles_of(spec)
    bare = roles_of(spec, dict.fromkeys(served, False))
    return {role: name for role, name in served.items() if Role(role).agent == role and name != bare[role]}


def _base_of(spec: EngineSpec, role: Role) -> str:
    if spec.kind is EngineKind.TRANSFORMERS:
        return BASE
    return spec.models.get(DEFAULT) or spec.model_for(role)


def usual_params(spec: EngineSpec) -> dict[str, Any]:
    """Parameters that differ from a strategy's own defaults with this engine: the micro model was trained on one
    exemplar and at most two repairs, and its context holds no more."""
    return {"k": 1, "t": 2} if spec.templates == MICRO_TEMPLATES else {}


def copy_for_run(
    spec: EngineSpec, models: dict[str, str], *, ask_anew: bool = False, constrained: bool = False
) -> dict[str, Any]:
    """What a run keeps of its engine: the models it actually uses, and how it asks them.

    `digest` is that of the engine as described: promoting another adapter later changes nothing that a run uses.
    """
    own = get_described(spec.name)
    used = serving(own, models.values())
    modes = {"ask_anew": ask_anew, "constrained": constrained}
    on = {name: True for name, is_on in modes.items() if is_on}
    return {**used.public(), "digest": own.digest(), "roles": models, **on}


def unknown_adapters(spec: EngineSpec, adapters: Mapping[str, bool | str]) -> list[str]:
    """Names that the engine cannot serve."""
    named = {name for name in adapters.values() if isinstance(name, str)}
    known = {*spec.adapters, *spec.models.values(), BASE}
    known.update(ServedAdapter.objects.filter(engine=spec.name).values_list("name", flat=True))
    return sorted(named - known)


def cannot_constrain(spec: EngineSpec) -> str:
    """Why this engine's answers cannot be held to grammars, as a sentence; "" where they can."""
    if spec.constrains:
        return ""
    return (
        f"Engine {spec.name!r} cannot hold its answers to a grammar, so constrained decoding cannot be on; switch it off, "
        "or choose an engine that can (Test connection finds out whether a server does)."
    )
