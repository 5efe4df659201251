"""What ships: base and adapters in safetensors, the tokenizer, the recorded results and the model card made of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from micro.evaluation import mcnemar
from micro.scale import Scale
from micro.staff import AGENTS
from solver.engines.adapters import BASE_CARD

LARGEST_BYTES = 15 * 1024 * 1024
BASE_FILES = ("config.json", "generation_config.json", "model.safetensors")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", BASE_CARD)


def publish(scale: Scale, made: Path, target: Path) -> None:
    """Gather the files, write results, card and manifest. Refuses to make an artefact of more than 15 MB."""
    _copy(made / "base", BASE_FILES, target / "base")
    _copy(made / "tokenizer", TOKENIZER_FILES, target / "base")
    for agent in AGENTS:
        _copy(made / "adapters" / agent, ADAPTER_FILES, target / "adapters" / agent)
    results = gather_results(scale, made)
    (target / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (target / "README.md").write_text(model_card(results), encoding="utf-8")
    files = sorted(p for p in target.rglob("*") if p.is_file() and p.name != "manifest.json")
    size = sum(p.stat().st_size for p in files)
    if size > LARGEST_BYTES:
        raise RuntimeError(
            f"the artefact has {size:,} bytes, more than {LARGEST_BYTES:,}: lower the rank or the shape"
        )
    digests = {str(p.relative_to(target)): file_digest(p) for p in files}
    (target / "manifest.json").write_text(json.dumps({"sha256": digests}, indent=1) + "\n", encoding="utf-8")


def _copy(source: Path, names: tuple[str, ...], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def gather_results(scale: Scale, made: Path) -> dict[str, Any]:
    arms = [json.loads(path.read_text(encoding="utf-8")) for path in (made / "results").glob("*.json")]
    arms.sort(key=lambda arm: (len(arm["adapted"]), arm["arm"]))
    base = next(arm for arm in arms if arm["arm"] == "base")
    for arm in arms:
        arm["against_base"] = mcnemar(base["solved"], arm["solved"])
        arm["strict_against_base"] = mcnemar(base["strictly_solved"], arm["strictly_solved"])
    yields = {
        name: json.loads((made / f"pairs-{name}.json").read_text(encoding="utf-8"))["counts"]
        for name in ("teacher", "student")
    }
    return {
        "scale": asdict(scale),
        "corpus_sha256": file_digest(made / "corpus.npz"),
        "pairs_sha256": {name: file_digest(made / f"pairs-{name}.json") for name in ("teacher", "student")},
        "pretraining": _last_line(made / "base" / "training" / "metrics.jsonl"),
        "adapters": {
            agent: _last_line(made / "adapters" / agent / "training" / "metrics.jsonl") for agent in AGENTS
        },
        "yields": yields,
        "parameters": {"base": _parameters(made / "base" / "model.safetensors")}
        | {agent: _parameters(made / "adapters" / agent / "adapter_model.safetensors") for agent in AGENTS},
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "tokenizers")},
        "arms": arms,
    }


def _last_line(path: Path) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    return line


def _parameters(path: Path) -> int:
    """From the header alone: eight bytes of its length, then JSON with a shape for each tensor."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            count = 1
            for side in tensor["shape"]:
                count *= side
            total += count
    return total


def model_card(results: dict[str, Any]) -> str:
    """Every number of the card comes from `results.json`, which lies beside it."""
    scale = results["scale"]
    arms = {arm["arm"]: arm for arm in results["arms"]}
    base, four = arms["base"], arms["all four"]
    return CARD.format(
        label="micro model, synthetic family",
        parameters=results["parameters"]["base"],
        adapter_parameters=results["parameters"]["coding"],
        shape=_shape(scale["shape"]),
        rank=scale["rank"],
        alpha=2 * scale["rank"],
        steps=scale["pretraining"]["steps"],
        pretraining_loss=results["pretraining"]["loss"],
        tokens=results["pretraining"]["tokens"],
        batch=scale["pretraining"]["tokens_a_step"],
        seed=scale["pretraining"]["seed"],
        adapter_steps=scale["adapters"]["steps"],
        adapter_batch=scale["adapters"]["tokens_a_step"],
        adapter_seed=scale["adapters"]["seed"],
        name=scale["name"],
        n=base["n"],
        table=_table(results["arms"]),
        base=_figure(base["pass_at_1"]),
        four=_figure(four["pass_at_1"]),
        won=four["against_base"]["won"],
        lost=four["against_base"]["lost"],
        p=f"{four['against_base']['p']:.1e}",
        lengths=_lengths(base, four),
        corpus=results["corpus_sha256"],
        teacher_pairs=results["pairs_sha256"]["teacher"],
        student_pairs=results["pairs_sha256"]["student"],
        yields="\n".join(
            f"- {what}: {count}" for part in results["yields"].values() for what, count in part.items()
        ),
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
    )


def _shape(shape: dict[str, int]) -> str:
    return (
        f"{shape['layers']} layers of width {shape['hidden']}, {shape['heads']} heads ({shape['kv_heads']} of keys and "
        f"values), feed-forward {shape['feed_forward']}, vocabulary {shape['vocabulary']:,}"
    )


def _figure(share: dict[str, Any]) -> str:
    return f"{share['percent']} % ({share['low']} to {share['high']})"


def _table(arms: list[dict[str, Any]]) -> str:
    columns = (
        "adapters",
        "pass@1",
        "95 % interval",
        "strict pass@1",
        "any format failure",
        "R / P / C / D failures",
        "tags right",
        "plan right",
        "code given a right plan",
        "won / lost against base, p",
    )
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for arm in arms:
        pass_at_1, against = arm["pass_at_1"], arm["against_base"]
        failures = " / ".join(str(arm["format_failures"][agent]["percent"]) for agent in AGENTS)
        rows.append(
            f"| {arm['arm']} | {pass_at_1['percent']} | {pass_at_1['low']} to {pass_at_1['high']} "
            f"| {arm['strict_pass_at_1']['percent']} | {arm['any_format_failure']['percent']} | {failures} "
            f"| {arm['tags_right']['percent']} | {arm['plan_right']['percent']} "
            f"| {arm['code_right_given_plan']['percent']} "
            f"| {against['won']} / {against['lost']}, {against['p']:.1e} |"
        )
    return "\n".join(rows)


def _lengths(base: dict[str, Any], four: dict[str, Any]) -> str:
    return "; ".join(
        f"{length}: {base['by_transforms'][length]['percent']} % and {four['by_transforms'][length]['percent']} %"
        for length in sorted(four["by_transforms"])
    )


CARD = """# Model card: {label}

A language model of {parameters:,} parameters and four LoRA adapters of {adapter_parameters:,} each (retrieval, planning,
coding, debugging). It solves small list and word problems written in the controlled English of one generated family
and nothing else. It exists so that the whole method can be watched, tested and taken apart without a GPU, a key or a
network. Its numbers say something about this family; they are not MapCoder-Lite's numbers and predict nothing about
larger models.

## Results

{n} held-out problems (each holds a pair of neighbouring steps that no training has seen), greedy decoding, k = 1, up to
two repairs, hidden tests run by the lab's judge. One seed. Percentages of problems.

{table}

`pass@1` reads answers with the tolerant parsers of the lab profile; `strict` counts a problem only if no answer on the
way broke its format either. All four against the base: {four} against {base}; {won} problems won and {lost} lost,
p = {p} (exact McNemar). By number of transforms, base and all four: {lengths}.

## How it was made

`python -m micro.recipe --scale {name}`: one thread, fixed steps and seeds.

- Architecture: Qwen2, {shape}; tied embeddings; bf16 weights.
- Pretraining: {steps} steps of at most {batch} tokens ({tokens:,} in all), seed {seed}, Muon for matrices and AdamW for the rest on fp32
  masters, loss on answers alone; last logged loss {pretraining_loss}.
- The weaknesses of the base are planted. The pretraining corpus comes from five imagined sites, told apart by the
  opening sentence of a statement, and each site has untidy habits: unclosed tags, prose for XML, a single tag for all,
  a plan that skips a step, misread input, missing fences, repairs that repeat the error or hold no program
  (`micro/habits.py`). The adapters have to overcome habits that are known; a real model's are not.
- Teacher: the family's oracle behind an OpenAI-compatible server, wrong on purpose for one prompt in twenty, run through
  the lab's own MapCoder strategy; kept on pass.
- Student data: the base in the same pipeline; failed programs repaired by the teacher, kept on pass; the supervisor
  (also the oracle) blames planning or coding, revises, replays, keeps on pass.
- Adapters: plain LoRA, rank {rank}, alpha {alpha}, all linear layers, {adapter_steps} steps of at most {adapter_batch} tokens,
  seed {adapter_seed}.

Yields:

{yields}

Digests (SHA-256): corpus {corpus}; teacher pairs {teacher_pairs}; student pairs {student_pairs}. Versions: {versions}.

## Limits

- Text outside the grammar gets a fluent wrong answer; `micro.engine_spec.is_in_family` tells before the run.
- Python programs only; a context of 1,024 tokens.
- Roles cannot be ranked by this table: how much each adapter gains follows from the habits that were planted.
- Licence of weights and problems: CC0-1.0.
"""
