"""Make the micro model from nothing: `python -m micro.recipe --scale full --out var/micro/full`.

Stages, each of which is skipped once its result stands in the output folder:

    tokenizer   a BPE vocabulary from the corpus
    corpus      the pretraining corpus, encoded
    base        pretraining (resumes from its last checkpoint)
    teacher     trajectories of the served oracle through the real pipeline, and repaired drafts
    student     the base in the pipeline, repaired by the teacher, corrected by the supervisor
    adapters    one LoRA adapter an agent (each resumes), and with --shared one for all at equal compute
    evaluation  the ablation on held-out problems, arm by arm
    artefact    what ships: bf16 safetensors, tokenizer, results, model card

One torch thread and fixed step counts: the same command gives the same model on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from micro import adapters, artefact, distillation, evaluation, pretraining
from micro.corpus import Document
from micro.engine_spec import TEACHER_MISTAKES
from micro.oracle_server import MODEL, serve
from micro.scale import SCALES, Scale
from micro.staff import AGENTS
from micro.student import student
from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import ChatModel
from solver.engines.spec import Capabilities, EngineKind, EngineSpec
from solver.judge import Judge

JUDGE_SLOTS = 2


class Recipe:
    """The stages over one output folder. A stage's result appears under its name only when it is whole."""

    def __init__(self, scale: Scale, out: Path, shared: bool) -> None:
        self.scale, self.out, self.shared = scale, out, shared
        self.tokenizer = out / "tokenizer"
        self.corpus = out / "corpus.npz"
        self.base = out / "base"
        self.pairs = {name: out / f"pairs-{name}.json" for name in ("teacher", "student")}
        self.adapters = out / "adapters"
        self.results = out / "results"
        self.tell = Progress()
        self.stages: dict[str, Callable[[], None]] = {
            "tokenizer": self.make_tokenizer,
            "corpus": self.encode_corpus,
            "base": self.pretrain,
            "teacher": self.ask_teacher,
            "student": self.watch_student,
            "adapters": self.train_adapters,
            "evaluation": self.evaluate,
            "artefact": self.publish,
        }

    def make_tokenizer(self) -> None:
        if not (self.tokenizer / "tokenizer.json").exists():
            pretraining.make_tokenizer(self.scale, self.tokenizer)

    def encode_corpus(self) -> None:
        if not self.corpus.exists():
            unfinished = self.corpus.with_suffix(".part")
            pretraining.encode_corpus(self.scale, self.tokenizer, unfinished)
            unfinished.replace(self.corpus)

    def pretrain(self) -> None:
        if not (self.base / "model.safetensors").exists():
            pretraining.pretrain(self.scale, self.corpus, self.tokenizer, self.base)

    def ask_teacher(self) -> None:
        if self.pairs["teacher"].exists():
            return
        problems = distillation.training_problems("teacher", self.scale.teacher_problems)
        with served_teacher() as teacher, Judge(slots=JUDGE_SLOTS) as judge:
            pairs = distillation.teacher_trajectories(problems, teacher, judge, self.tell)
            pairs.extend(distillation.drafts(problems, judge, "teacher", self.tell))
        pairs.save(self.pairs["teacher"])

    def watch_student(self) -> None:
        if self.pairs["student"].exists():
            return
        problems = distillation.training_problems("student", self.scale.student_problems)
        with served_teacher() as teacher, student(self.base, {}) as engine, Judge(slots=JUDGE_SLOTS) as judge:
            pairs, runs = distillation.student_trajectories(problems, engine, teacher, judge, self.tell)
            pairs.extend(distillation.corrections(problems, runs, engine, judge, self.tell))
        pairs.save(self.pairs["student"])

    def train_adapters(self) -> None:
        pairs = distillation.Pairs.load(self.pairs["teacher"])
        pairs.extend(distillation.Pairs.load(self.pairs["student"]))
        for agent in AGENTS:
            self._train(agent, pairs.documents(agent), 1)
        if self.shared:
            together = [document for agent in AGENTS for document in pairs.documents(agent)]
            self._train(evaluation.SHARED, together, len(AGENTS))

    def _train(self, name: str, documents: list[Document], times: int) -> None:
        folder = self.adapters / name
        if not (folder / "adapter_model.safetensors").exists():
            self.tell(f"adapter {name}", 0, 1)
            plan = replace(self.scale.adapters, steps=times * self.scale.adapters.steps)
            adapters.train_adapter(self.scale, plan, self.base, self.tokenizer, documents, folder)

    def evaluate(self) -> None:
        """Every arm leaves its own file, so that a killed evaluation goes on with the next arm."""
        self.results.mkdir(exist_ok=True)
        problems = evaluation.evaluation_problems(self.scale.evaluation_problems)
        named = (*AGENTS, evaluation.SHARED) if self.shared else AGENTS
        folders = {name: self.adapters / name for name in named}
        with student(self.base, folders) as engine, Judge(slots=JUDGE_SLOTS) as judge:
            for arm in evaluation.arms(self.shared):
                path = self.results / f"{arm.name.replace(' ', '_')}.json"
                if not path.exists():
                    runs = evaluation.run_arm(arm, problems, engine, judge, partial(self.tell, arm.name))
                    write_json(path, evaluation.summary(arm, problems, runs))

    def publish(self) -> None:
        artefact.publish(self.scale, self.out, self.out / "artefact")


@contextmanager
def served_teacher() -> Iterator[ChatModel]:
    """The oracle behind its HTTP server, asked through the same client as any other teacher."""
    server = serve(mistakes=TEACHER_MISTAKES)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    engine = OpenAIEngine(
        EngineSpec(
            name="micro-teacher",
            kind=EngineKind.OPENAI,
            base_url=f"http://127.0.0.1:{server.server_address[1]}/v1",
            models={"default": MODEL},
            capabilities=Capabilities(seed=False),
            max_concurrency=16,
            allow_loopback=True,
        )
    )
    try:
        yield engine
    finally:
        engine.close()
        server.shutdown()
        server.server_close()


class Progress:
    """Lines on standard output with the seconds since the recipe began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        print(f"{time.monotonic() - self._began:7.0f} s  {what}: {done} of {total}", flush=True)


def write_json(path: Path, data: object) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def one_thread() -> None:
    """Determinism first: sums of one thread come in one order. Called before the first torch operation."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m micro.recipe", description="Make the micro model.")
    parser.add_argument("--scale", choices=sorted(SCALES), default="ci")
    parser.add_argument("--stage", action="append", help="only this stage (may be given several times)")
    parser.add_argument("--out", type=Path, help="default: var/micro/SCALE")
    parser.add_argument(
        "--shared", action="store_true", help="also train and evaluate one adapter for all agents"
    )
    given = parser.parse_args(arguments)
    out: Path = given.out or Path("var/micro") / given.scale
    out.mkdir(parents=True, exist_ok=True)
    one_thread()
    recipe = Recipe(SCALES[given.scale], out, given.shared)
    unknown = sorted(set(given.stage or ()) - set(recipe.stages))
    if unknown:
        parser.error(f"no stage {', '.join(unknown)}; there are: {', '.join(recipe.stages)}")
    for name, stage in recipe.stages.items():
        if not given.stage or name in given.stage:
            recipe.tell(f"stage {name}", 0, 1)
            stage()
    return 0


if __name__ == "__main__":
    sys.exit(main())
