"""Make the micro model from nothing: `python -m micro.recipe --scale full --out var/micro/full`.

Stages, each of which is skipped once its result stands in the output folder:

    tokenizer   a BPE vocabulary from the corpus
    corpus      the pretraining corpus, encoded
    base        pretraining (resumes from its last checkpoint)
    teacher     trajectories of the served oracle through the real pipeline, and repaired drafts
    student     the base in the pipeline, repaired by the teacher, corrected by the supervisor
    adapters    one LoRA adapter an agent (each resumes), and with --controls what they are compared with
    evaluation  the ablation on held-out problems, arm by arm
    artefact    what ships: bf16 safetensors, tokenizer, results, model card

The controls are one adapter for all four agents at equal total compute, and the planning and the coding adapter without
the supervisor's pairs. Another `--seed` shares the base, which lies in the folder above its own, and draws everything after
it anew.

One torch thread a process and fixed step counts: the same command gives the same model on the same machine, however many
processes share the work. With `--workers` of two or more the teacher is asked while the base is trained, and adapters and
arms are done side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from micro import adapters, artefact, distillation, evaluation, pretraining, whole_files
from micro.artefact import SERIES
from micro.corpus import Document
from micro.crew import Crew, shares, usual_workers
from micro.engine_spec import ARTEFACT, TEACHER_MISTAKES
from micro.evaluation import SHARED, UNSUPERVISED, Arm
from micro.oracle_server import MODEL, serve
from micro.remembering import RememberingJudge
from micro.scale import SCALES, Scale
from micro.student import student
from solver.engines.openai_api import OpenAIEngine
from solver.engines.protocol import ChatModel
from solver.engines.spec import Capabilities, EngineKind, EngineSpec
from solver.judge import Judge
from trajectories.agents import AGENTS

JUDGE_SLOTS = 2


class Recipe:
    """The stages over one output folder. A stage's result appears under its name only when it is whole."""

    def __init__(
        self, scale: Scale, out: Path, *, controls: bool = False, device: str = "cpu", workers: int = 1
    ) -> None:
        self.scale, self.controls, self.device, self.workers = scale, controls, device, workers
        self._root = out
        self.out = out if scale.seed == 1 else out / f"seed-{scale.seed}"
        self.tokenizer = out / "tokenizer"
        self.corpus = out / "corpus.npz"
        self.base = out / "base"
        self.pairs = {name: self.out / f"pairs-{name}.json" for name in SERIES}
        self.adapters = self.out / "adapters"
        self.results = self.out / "results"
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
        if scale.shipped_base:
            del self.stages["corpus"], self.stages["artefact"]
            self.stages |= {"tokenizer": self.take_shipped_tokenizer, "base": self.take_shipped_base}

    def run(self, stages: Collection[str] = (), others: Sequence[Recipe] = ()) -> None:
        """All stages, or those named. While the base is trained, the teacher is asked for `others` as well, which are this
        recipe with other seeds."""
        self.out.mkdir(parents=True, exist_ok=True)
        wanted = [name for name in self.stages if not stages or name in stages]
        if self.workers > 1 and {"base", "teacher"} <= set(wanted):
            wanted.remove("teacher")
            at = wanted.index("base")
            self._stages(wanted[:at])
            self.tell(f"{self.label}, stages base and teacher", 0, 1)
            with self._crew(2) as crew:  # the memory that training has taken goes with its process
                pieces = [crew.start(*self._piece(Recipe._base))]
                pieces += [crew.start(*recipe._piece(Recipe.ask_teacher)) for recipe in (self, *others)]
                for piece in pieces:
                    piece.result()
            wanted = wanted[at + 1 :]
        self._stages(wanted)

    def _stages(self, names: Collection[str]) -> None:
        for name in names:
            self.tell(f"{self.label}, stage {name}", 0, 1)
            self.stages[name]()

    def _crew(self, workers: int) -> Crew:
        return Crew(workers, one_thread)

    def _piece(
        self, method: Callable[..., None], *arguments: Any
    ) -> tuple[Callable[..., None], *tuple[Any, ...]]:
        """`method` of a recipe like this one, as a call that can be sent to another process."""
        made = (self.scale, self._root, self.controls, self.device, self.tell.began)
        return (_do, made, method, *arguments)

    @property
    def label(self) -> str:
        return self.scale.series(self.scale.name)

    def take_shipped_tokenizer(self) -> None:
        artefact.copy(ARTEFACT / "base", artefact.TOKENIZER_FILES, self.tokenizer)

    def take_shipped_base(self) -> None:
        artefact.copy(ARTEFACT / "base", artefact.BASE_FILES + artefact.TOKENIZER_FILES, self.base)

    def _base(self) -> None:
        self.stages["base"]()

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
            tell = partial(self.tell, "steps of the base")
            pretraining.pretrain(self.scale, self.corpus, self.tokenizer, self.base, self.device, tell)

    def ask_teacher(self) -> None:
        if self.pairs["teacher"].exists():
            return
        self.out.mkdir(parents=True, exist_ok=True)
        series = self.scale.series("teacher")
        problems = distillation.training_problems(
            series, self.scale.teacher_problems, self.scale.longest_chain
        )
        with served_teacher() as teacher, Judge(slots=JUDGE_SLOTS) as judge:
            pairs = distillation.teacher_trajectories(problems, teacher, judge, self.tell)
            pairs.extend(distillation.drafts(problems, judge, series, self.tell))
        pairs.save(self.pairs["teacher"])

    def watch_student(self) -> None:
        if self.pairs["supervisor"].exists():
            return
        problems = distillation.training_problems(
            self.scale.series("student"), self.scale.student_problems, self.scale.longest_chain
        )
        with (
            served_teacher() as teacher,
            student(self.base, {}, self.device) as engine,
            Judge(slots=JUDGE_SLOTS) as judge,
        ):
            pairs, runs = distillation.student_trajectories(problems, engine, teacher, judge, self.tell)
            corrected = distillation.corrections(problems, runs, engine, judge, self.tell)
        pairs.save(self.pairs["student"])
        corrected.save(self.pairs["supervisor"])

    def train_adapters(self) -> None:
        names = [*AGENTS]
        if self.controls:
            names = [SHARED, *AGENTS, *UNSUPERVISED.values()]  # the longest first
        missing = [name for name in names if not self._is_trained(name)]
        if self.workers == 1:
            for name in missing:
                self.train_adapter(name)
        else:
            with self._crew(self.workers) as crew:
                crew.each(_do, [self._piece(Recipe.train_adapter, name)[1:] for name in missing])

    def train_adapter(self, name: str) -> None:
        self.tell(f"adapter {name}", 0, 1)
        times, without = 1, ""
        agents: Collection[str] = (name,)
        if name == SHARED:
            agents, times = AGENTS, len(AGENTS)
        for agent, unsupervised in UNSUPERVISED.items():
            if name == unsupervised:
                agents, without = (agent,), "supervisor"
        documents = [document for agent in agents for document in self._documents(agent, without)]
        plan = self.scale.adapters.times(times)
        folder = self.adapters / name
        tell = partial(self.tell, f"steps of adapter {name}")
        adapters.train_adapter(
            self.scale, plan, self.base, self.tokenizer, documents, folder, self.device, tell
        )
        self.tell(f"adapter {name}", 1, 1)

    def _is_trained(self, name: str) -> bool:
        return (self.adapters / name / "adapter_model.safetensors").exists()

    def _documents(self, agent: str, without: str = "") -> list[Document]:
        return [
            document
            for name in SERIES
            if name != without
            for document in distillation.Pairs.load(self.pairs[name]).documents(agent)
        ]

    def evaluate(self) -> None:
        """Every arm leaves its own file, so that a killed evaluation goes on with the next arm."""
        self.results.mkdir(exist_ok=True)
        missing = [arm.name for arm in evaluation.arms(self.controls) if not self._result(arm).exists()]
        if not missing:
            return
        if self.workers == 1:
            self.evaluate_arms(missing)
        else:
            with self._crew(self.workers) as crew:
                parts = shares(missing, self.workers)
                crew.each(_do, [self._piece(Recipe.evaluate_arms, part)[1:] for part in parts])

    def evaluate_arms(self, names: Collection[str]) -> None:
        arms = [arm for arm in evaluation.arms(self.controls) if arm.name in names]
        problems = evaluation.evaluation_problems(self.scale.evaluation_problems, self.scale.longest_chain)
        folders = {name: self.adapters / name for arm in arms for name in arm.adapted.values()}
        with student(self.base, folders, self.device) as engine, RememberingJudge(slots=JUDGE_SLOTS) as judge:
            for arm in arms:
                runs = evaluation.run_arm(arm, problems, engine, judge, partial(self.tell, arm.name))
                write_json(self._result(arm), evaluation.summary(arm, problems, runs))

    def _result(self, arm: Arm) -> Path:
        return self.results / f"{arm.slug}.json"

    def publish(self) -> None:
        artefact.publish(self.scale, self.out, self.out / "artefact")


def _do(made: tuple[Scale, Path, bool, str, float], method: Callable[..., None], *arguments: Any) -> None:
    scale, out, controls, device, began = made
    recipe = Recipe(scale, out, controls=controls, device=device)
    recipe.tell = Progress(began)
    method(recipe, *arguments)


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
    """Lines on standard output with the seconds since the recipe began, in whichever process."""

    def __init__(self, began: float | None = None) -> None:
        self.began = time.monotonic() if began is None else began

    def __call__(self, what: str, done: int, total: int) -> None:
        print(f"{time.monotonic() - self.began:7.0f} s  {what}: {done} of {total}", flush=True)


def write_json(path: Path, data: object) -> None:
    whole_files.write(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def one_thread() -> None:
    """Determinism first: sums of one thread come in one order. Called before the first torch operation."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs for the same sums each time
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m micro.recipe", description="Make the micro model.")
    parser.add_argument("--scale", choices=sorted(SCALES), default="ci")
    parser.add_argument("--stage", action="append", help="only this stage (may be given several times)")
    parser.add_argument("--out", type=Path, help="default: var/micro/SCALE")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--controls",
        action="store_true",
        help="also one adapter for all agents, and adapters without the supervisor's pairs",
    )
    parser.add_argument(
        "--workers", type=int, default=usual_workers(), help="processes at a time (one a core, at most 4)"
    )
    given = parser.parse_args(arguments)
    out: Path = given.out or Path("var/micro") / given.scale
    out.mkdir(parents=True, exist_ok=True)
    one_thread()
    scale = SCALES[given.scale].with_seed(given.seed)
    recipe = Recipe(scale, out, controls=given.controls, device=given.device, workers=max(1, given.workers))
    unknown = sorted(set(given.stage or ()) - set(recipe.stages))
    if unknown:
        parser.error(f"no stage {', '.join(unknown)}; there are: {', '.join(recipe.stages)}")
    recipe.run(given.stage or ())
    return 0


if __name__ == "__main__":
    sys.exit(main())
