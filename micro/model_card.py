"""The model card. Every number of it comes from `results.json`, which lies beside it."""

from __future__ import annotations

from typing import Any

from micro import table


def model_card(results: dict[str, Any]) -> str:
    scale = results["scale"]
    adapters = scale["adapters"]
    first = {arm["arm"]: arm for arm in results["seeds"]["1"]}
    found = results["table"]
    return CARD.format(
        parameters=results["parameters"]["base"],
        adapter_parameters=results["parameters"]["coding"],
        shape=_shape(scale["shape"]),
        rank=scale["rank"],
        alpha=2 * scale["rank"],
        pretraining=_training(scale["pretraining"], results["pretraining"]),
        steps=adapters["steps"],
        batch=adapters["tokens_a_step"],
        adapter_seed=adapters["seed"],
        name=scale["name"],
        n=found[0]["pass_at_1"]["n"],
        seeds=_seeds(results),
        table=table.markdown(found),
        single=_single(results),
        findings=_findings(results),
        lengths=_lengths(first[table.BASE], first[table.FOUR]),
        corpus=results["corpus_sha256"],
        pairs="; ".join(f"{name} pairs {digest}" for name, digest in results["pairs_sha256"].items()),
        yields="\n".join(
            f"- {what}: {count}" for part in results["yields"].values() for what, count in part.items()
        ),
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
    )


def _seeds(results: dict[str, Any]) -> str:
    seeds = sorted(int(seed) for seed in results["seeds"])
    if len(seeds) == 1:
        return "One seed: the intervals say nothing of another training."
    return (
        f"{len(seeds)} seeds ({', '.join(map(str, seeds))}), which share the base and differ in everything after it. "
        "Scores are means over the seeds of a problem; tests are of each seed apart."
    )


def _findings(results: dict[str, Any]) -> str:
    lines = [_finding(found["said"], found["holds"]) for found in results["findings"]]
    first = table.rows([results["seeds"]["1"]])
    shown = {row["arm"] for row in results["table"]}
    lines += [
        _finding(f"in the first seed alone {said}", holds)
        for arm, said, holds in table.rivals(first)
        if arm not in shown
    ]
    if missing := table.not_measured([*results["table"], *first]):
        lines.append(f"- not measured for these weights: {'; '.join(missing)}")
    return "\n".join(lines)


def _finding(said: str, holds: bool) -> str:
    return f"- {'yes' if holds else '**no**'}: {said}"


def _single(results: dict[str, Any]) -> str:
    """The arms that were measured for the first seed alone, where there are others."""
    if len(results["seeds"]) == 1:
        return ""
    shown = {row["arm"] for row in results["table"]}
    more = table.rows([results["seeds"]["1"]])
    if all(row["arm"] in shown for row in more):
        return ""
    return f"\nThe first seed alone, whose weights ship, with the arms measured for it only:\n\n{table.markdown(more)}\n"


def _training(plan: dict[str, Any], log: dict[str, Any]) -> str:
    return (
        f"{plan['steps']} steps of at most {plan['tokens_a_step']} tokens ({log['tokens']:,} in all), seed {plan['seed']}, "
        f"last logged loss {log['loss']}"
    )


def _shape(shape: dict[str, int]) -> str:
    return (
        f"{shape['layers']} layers of width {shape['hidden']}, {shape['heads']} heads ({shape['kv_heads']} of keys and "
        f"values), feed-forward {shape['feed_forward']}, vocabulary {shape['vocabulary']:,}"
    )


def _lengths(base: dict[str, Any], four: dict[str, Any]) -> str:
    return "; ".join(
        f"{length}: {base['by_transforms'][length]['percent']} % and {four['by_transforms'][length]['percent']} %"
        for length in sorted(four["by_transforms"])
    )


CARD = """# Model card: micro model, synthetic family

A language model of {parameters:,} parameters and four LoRA adapters of {adapter_parameters:,} each (retrieval, planning,
coding, debugging). It solves small list and word problems written in the controlled English of one generated family
and nothing else. It exists so that the whole method can be watched, tested and taken apart without a GPU, a key or a
network. Its numbers say something about this family; they are not MapCoder-Lite's numbers and predict nothing about
larger models.

## Results

{n} held-out problems (each holds a pair of neighbouring steps that no training has seen), greedy decoding, k = 1, up to
two repairs, hidden tests run by the lab's judge. Percentages of problems with 95 % Wilson intervals; p by the exact
McNemar test. {seeds}

{table}
{single}
`pass@1` reads answers with the tolerant parsers of the lab profile; `strict` counts a problem only if no answer on the
way broke its format either, as the published parser would have it. By number of transforms, base and all four (first
seed): {lengths}.

What the method promises, and whether this table bears it out:

{findings}

## How it was made

`make reproduce SCALE={name}`, or stage by stage `python -m micro.recipe --scale {name}`: one thread, fixed steps and seeds.

- Architecture: Qwen2, {shape}; tied embeddings; bf16 weights.
- Pretraining: {pretraining}. Muon for matrices and AdamW for the rest on fp32 masters, loss on answers alone.
- The weaknesses of the base are planted. The pretraining corpus comes from five imagined sites, told apart by the
  opening sentence of a statement, and each site has untidy habits: unclosed tags, prose for XML, a single tag for all,
  a plan that skips a step, misread input, missing fences, repairs that repeat the error or hold no program
  (`micro/habits.py`). How often the base passes is set by these habits, hence so is the ratio of all four to it. The
  adapters have to overcome habits that are known; a real model's are not.
- Teacher: the family's oracle behind an OpenAI-compatible server, wrong on purpose for one prompt in twenty, run through
  the lab's own MapCoder strategy; kept on pass.
- Student data: the base in the same pipeline; failed programs repaired by the teacher, kept on pass; the supervisor
  (also the oracle) blames planning or coding, revises, replays, keeps on pass.
- Adapters: plain LoRA, rank {rank}, alpha {alpha}, all linear layers, {steps} steps of at most {batch} tokens,
  seed {adapter_seed}.

Yields:

{yields}

Digests (SHA-256): corpus {corpus}; {pairs}. Versions: {versions}.

## Limits

- Text outside the grammar gets a fluent wrong answer; `micro.engine_spec.is_in_family` tells before the run.
- Python programs only; a context of 1,024 tokens.
- Roles cannot be ranked by this table: how much each adapter gains follows from the habits that were planted.
- Licence of weights and problems: CC0-1.0.
"""
