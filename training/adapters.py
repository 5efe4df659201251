"""The registry: an adapter is registered, evaluated, promoted, retired; one click rolls a promotion back.

Promotion moves a pointer that the solver reads (`ServedAdapter.active`). Names hold digests and folders are immutable, so an
engine loads the new adapter beside the old one while it serves, and runs in flight keep what they were started with.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from solver import engine_book
from solver.engines.adapters import BASE_CARD, CONFIG, WEIGHTS, AdapterFiles, read_adapter
from solver.engines.base_model import BadBase, read_base
from solver.engines.spec import BASE, EngineKind, EngineSpec
from solver.models import ServedAdapter
from training import evaluation, model_card
from training.adapter_models import AdapterState
from training.encoding import CannotEncode, encoder
from training.lora_spec import RANKS
from training.models import Adapter, Promotion, TrainingRun
from trajectories.agents import AGENTS

MAX_RANK = max(RANKS)


class Refused(ValueError):
    """A move of the registry that is not allowed; the message says why and what to do."""


def card(run: TrainingRun) -> dict[str, Any]:
    """What lies beside the weights: the base they fit, and where they came from."""
    try:
        template = encoder(Path(run.base)).template_digest
    except (BadBase, CannotEncode, OSError):
        template = ""
    return {
        "fingerprint": run.base_fingerprint,
        "base": run.spec["base"] or Path(run.base).name,
        "role": run.role,
        "dataset": str(run.dataset),
        "dataset_digest": run.dataset.digest,
        "template_digest": template,
        "spec": run.spec,
        "training_run": run.pk,
        "started_from": run.started_from.name if run.started_from else "",
        "code_version": run.code_version,
    }


def register(run: TrainingRun, told: dict[str, Any]) -> Adapter:
    """The adapter that a trainer left: moved to its immutable place and written down. Same weights, same adapter."""
    files = read_adapter(run.role, run.folder / "adapter", max_rank=MAX_RANK)
    beside = json.loads((files.folder / BASE_CARD).read_text(encoding="utf-8"))
    last = {
        kind: run.events.filter(kind=kind).order_by("-seq").values_list("payload", flat=True).first() or {}
        for kind in ("metrics", "eval")
    }
    metrics = {
        "steps": told["step"],
        "of": told["steps"],
        "seconds": told["seconds"],
        "loss": last["metrics"].get("loss"),
        "eval_loss": last["eval"].get("loss"),
        "eval_rows": last["eval"].get("n"),
        "tokens_per_s": last["metrics"].get("tokens_per_s"),
    }
    return _store(
        files,
        role=run.role,
        engine=str(run.spec["engine"]),
        base=run.base,
        template_digest=beside.get("template_digest", ""),
        dataset=run.dataset,
        spec=run.spec,
        metrics=metrics,
        created_by=run.created_by,
    )


def import_folder(folder: Path, *, role: str, engine: str, created_by: str = "") -> Adapter:
    """An adapter somebody else trained, from a folder. Raises Refused, BadAdapter."""
    if role not in AGENTS:
        raise Refused(f"There is no role {role!r}; the roles are {', '.join(AGENTS)}.")
    files = read_adapter(role, folder, max_rank=MAX_RANK)
    spec = engine_book.get(engine)
    _check_fits(files, spec)
    known = Adapter.objects.filter(digest=files.digest).first()
    if known and (known.role, known.engine) != (role, spec.name):
        raise Refused(
            f"These weights are adapter {known} already, which answers {known.role} on {known.engine!r}; the same weights "
            "cannot be a second one, so use that."
        )
    return _store(
        files,
        role=role,
        engine=spec.name,
        base=spec.base or "",
        imported_from=str(folder)[:500],
        created_by=created_by,
    )


def fetch(name: str) -> Path:
    """The folder of an adapter given as a folder or as a hub id, fetched where there is a network. Raises Refused."""
    try:
        if (folder := Path(name)).is_dir():
            return folder
    except OSError as error:
        raise Refused(f"{name[:60]!r} cannot be a folder: {error.strerror}.") from None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=[WEIGHTS, CONFIG, BASE_CARD]))
    except HFValidationError:
        raise Refused(
            f"{name!r} is neither a folder on this machine nor a hub id such as owner/name."
        ) from None
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise Refused(
            f"The adapter {name!r} could not be fetched ({type(error).__name__}); copy it here and give its folder."
        ) from None


def _check_fits(files: AdapterFiles, spec: EngineSpec) -> None:
    """Shapes and, where the adapter names it, the base itself."""
    if spec.base is None:
        return
    base = read_base(Path(spec.base))
    if files.base_fingerprint not in (None, base.fingerprint):
        raise Refused(
            f"The adapter was trained on another base than that of {spec.name!r}; use the base it was trained on."
        )
    from training.fit import linear_layers

    shapes = {shape for kind in linear_layers(base).values() for shape in kind}
    for module, factor in files.factors.items():
        if (factor.outputs, factor.inputs) not in shapes:
            raise Refused(
                f"The adapter's layer {module[:100]} is {factor.outputs} by {factor.inputs}; the base of {spec.name!r} has "
                "no such layer. It was trained on another model."
            )


def _store(files: AdapterFiles, *, role: str, engine: str, **fields: Any) -> Adapter:
    if known := Adapter.objects.filter(digest=files.digest).first():
        return known
    made = Adapter(
        role=role,
        engine=engine,
        digest=files.digest,
        base_fingerprint=files.base_fingerprint or "",
        rank=files.rank,
        modules=sorted({module.rpartition(".")[2] for module in files.factors}),
        parameters=sum(f.rank * (f.inputs + f.outputs) for f in files.factors.values()),
        size=files.weights.stat().st_size,
        **fields,
    )
    _place(files, made.folder)
    for _ in range(5):
        made.number = (Adapter.objects.filter(role=role).aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                made.save(force_insert=True)
                _let_serve(made)
            break
        except IntegrityError:  # the number was taken meanwhile, or the same weights were registered
            if known := Adapter.objects.filter(digest=files.digest).first():
                return known
    (made.folder / "README.md").write_text(model_card.text(made), encoding="utf-8")
    return made


def _place(files: AdapterFiles, target: Path) -> None:
    if (target / WEIGHTS).is_file():
        return
    unfinished = target.with_name(target.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name in (WEIGHTS, CONFIG, BASE_CARD):
        if (files.folder / name).is_file():
            shutil.copyfile(files.folder / name, unfinished / name)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.replace(target)


def _let_serve(adapter: Adapter) -> None:
    """Known to its engine from now on, so that it can be evaluated before it is promoted."""
    ServedAdapter.objects.get_or_create(
        engine=adapter.engine,
        name=adapter.name,
        defaults={"role": adapter.role, "folder": str(adapter.folder), "digest": adapter.digest},
    )


# -- what serves


def serving(engine: str, role: str) -> Adapter | None:
    """The promoted adapter of a role; None: the engine's own model serves it."""
    row = ServedAdapter.objects.filter(engine=engine, role=role, active=True).first()
    return Adapter.objects.filter(digest=row.digest).first() if row else None


def objections(adapter: Adapter) -> list[str]:
    """Why an adapter should not be promoted: not evaluated, no clear gain over the base, worse than what serves now or not
    compared with it, rows withdrawn."""
    found = []
    result = evaluation.latest(adapter)
    if result is None:
        found.append("It has not been evaluated against the base yet.")
    else:
        if not evaluation.clearly_better(result):
            found.append(
                f"It is worse than the base: {_points(result)}"
                if result["high"] < 0
                else f"No clear gain: {_points(result)}"
            )
        found += _against_serving(adapter, result)
    if withdrawn := evaluation.withdrawn_rows(adapter):
        rows = "1 row it was trained on was" if withdrawn == 1 else f"{withdrawn} rows it was trained on were"
        found.append(f"{rows} withdrawn since.")
    return found


def _against_serving(adapter: Adapter, result: dict[str, Any]) -> list[str]:
    """Promoting others that were tried together with it does not make the comparison old; any other change does, also a role
    that went back to the base. Where nothing but the base and these serve, the comparison with the base is the one."""
    try:
        spec = engine_book.get(adapter.engine)
    except engine_book.UnknownEngine:
        return [f"Its engine {adapter.engine!r} is not in this lab any more; add the engine again first."]
    now, together = engine_book.roles_of(spec), result["together"]
    bare = engine_book.roles_of(spec, dict.fromkeys(now, False))
    if all(now[role] in (bare[role], *together) for role in AGENTS):
        return []
    served = result.get("served") or {}
    then = {**bare, **served.get("roles", {})}
    if changed := [role for role in AGENTS if now[role] not in (then[role], *together)]:
        them = ", ".join(f"{role} by {now[role]}" for role in changed)
        return [f"It was not compared with what serves now ({them}); evaluate it again."]
    if not served["n"]:
        why = "no problem was measured with both. The page of its campaign says why; evaluate it again."
        return [f"It was not compared with what serves now: {why}"]
    if served["high"] < 0:
        return [f"It is worse than what serves now: {_points(served)}"]
    return []


def _points(result: dict[str, Any]) -> str:
    return (
        f"{result['points']:+.1f} points [{result['low']:+.1f}, {result['high']:+.1f}] on {result['n']} problems, "
        f"McNemar p {result['p']:.2g}."
    )


def promote(adapter: Adapter, *, actor: str = "", anyway: bool = False, reason: str = "") -> Promotion:
    """The next runs on its engine use it for its role. Raises Refused, with what speaks against it unless `anyway`."""
    against = objections(adapter)
    if against and not anyway:
        raise Refused(" ".join(against) + " Promote it anyway, or evaluate it on more problems.")
    if not adapter.folder.is_dir():
        raise Refused(f"The files of {adapter} are not in {adapter.folder}; import it again.")
    try:
        return _promote(adapter, actor, reason)
    except IntegrityError:
        raise Refused(
            f"Another adapter of {adapter.role} was promoted at the same moment; look at what serves now first."
        ) from None


def _promote(adapter: Adapter, actor: str, reason: str) -> Promotion:
    with transaction.atomic():
        previous = serving(adapter.engine, adapter.role)
        if previous == adapter:
            raise Refused(f"{adapter} already serves {adapter.role} on {adapter.engine}.")
        if not Adapter.objects.filter(pk=adapter.pk).move(AdapterState.PROMOTED):
            raise Refused(f"{adapter} is {adapter.state} and cannot be promoted.")
        _let_serve(adapter)
        _point(adapter.engine, adapter.role, adapter, previous)
        return Promotion.objects.create(
            engine=adapter.engine,
            role=adapter.role,
            adapter=adapter,
            previous=previous,
            actor=actor,
            reason=reason,
        )


def roll_back(engine: str, role: str, *, of: Adapter | None = None, actor: str = "") -> Promotion:
    """What served before the last promotion that still stands serves again, be it another adapter or the engine's own model;
    a second one goes back one further. `of`: only if this one serves. Raises Refused."""
    with transaction.atomic():
        now_serving = serving(engine, role)
        if now_serving is None:
            raise Refused(f"The engine's own model serves {role} on {engine}; there is nothing to roll back.")
        held = ServedAdapter.objects.filter(engine=engine, role=role, digest=now_serving.digest, active=True)
        if of not in (None, now_serving) or not held.update(active=False):
            raise Refused(f"What serves {role} on {engine} has changed meanwhile; look at the history first.")
        before = served_before(engine, role)
        if before is not None:
            Adapter.objects.filter(pk=before.pk).move(AdapterState.PROMOTED)
        _point(engine, role, before, now_serving)
        return Promotion.objects.create(
            engine=engine,
            role=role,
            adapter=before,
            previous=now_serving,
            actor=actor,
            reason="rolled back",
            rolled_back=True,
        )


def served_before(engine: str, role: str) -> Adapter | None:
    """What a roll-back brings back: each one before took the last that stood off the pile. One that brought back something
    else (before version 0007 of the tables a second one put back what the first had taken) stands like a promotion."""
    pile: list[Promotion] = []
    for one in Promotion.objects.filter(engine=engine, role=role).order_by("pk").select_related("previous"):
        if one.rolled_back and pile and pile[-1].previous_id == one.adapter_id:
            pile.pop()
        else:
            pile.append(one)
    return pile[-1].previous if pile else None


def retire(adapter: Adapter, *, actor: str = "") -> None:
    """Out of the way, files and history kept; one that serves hands its role back to the engine's own model."""
    with transaction.atomic():
        if serving(adapter.engine, adapter.role) == adapter:
            _point(adapter.engine, adapter.role, None, adapter)
            Promotion.objects.create(
                engine=adapter.engine, role=adapter.role, previous=adapter, actor=actor, reason="retired"
            )
        elif not Adapter.objects.filter(pk=adapter.pk).move(AdapterState.RETIRED):
            raise Refused(f"{adapter} is {adapter.state} already.")


def _point(engine: str, role: str, to: Adapter | None, previous: Adapter | None) -> None:
    ServedAdapter.objects.filter(engine=engine, role=role, active=True).update(active=False)
    if previous is not None:
        Adapter.objects.filter(pk=previous.pk).move(AdapterState.RETIRED)
    if to is not None:
        ServedAdapter.objects.filter(engine=engine, name=to.name).update(active=True)


def own_model(engine: EngineSpec, role: str) -> str:
    """What serves a role when nothing is promoted."""
    from solver.engines.protocol import Role

    model = engine.model_for(Role(role))
    return "the base" if model == BASE and engine.kind is EngineKind.TRANSFORMERS else model


def root() -> Path:
    return Path(settings.VAR_DIR) / "adapters"
