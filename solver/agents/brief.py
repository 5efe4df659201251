"""What every agent is told: the problem, the language, the template set. Each role adds its own fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

from solver.agents.answer_forms import AnswerForm
from solver.agents.languages import PromptLanguage
from solver.agents.problem_text import count_in_words, problem_text, samples_text, stdin_note
from solver.agents.prompts import Prompt, render, uses_field
from trajectories.problem_schema import ProblemSpec


@dataclass(frozen=True, slots=True)
class Brief:
    """`k`: how many exemplars to recall. `python_note`: the input note in Python words for every language."""

    problem: ProblemSpec
    language: PromptLanguage
    templates: str = "lab"
    k: int = 3
    python_note: bool = False

    def prompt(self, template: str, form: AnswerForm | None = None, **fields: str) -> Prompt:
        """Fill `template` with the common fields and the role's own. Templates need not use every field."""
        return replace(render(self.templates, template, **self._common(), **fields), form=form)

    def shows_format(self, template: str) -> bool:
        """Whether this set's prompt spells the answer format out. One that does not is for a model that knows it."""
        return uses_field(self.templates, template, "format")

    def _common(self) -> dict[str, str]:
        return {
            "problem": problem_text(self.problem),
            "samples": samples_text(self.problem),
            "language": self.language.name,
            "fence": self.language.key,
            "stdin_note": stdin_note(self.problem, self.language, in_python_words=self.python_note),
            "k": str(self.k),
            "k_words": count_in_words(self.k),
        }
