"""What an engine is before it is opened: a small, checked description that holds no secret.

The key of a hosted API is never part of it, only the NAME of the environment variable that holds the key. A
copy of `public()` is kept with every run, so that the page can say years later what answered.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from solver.engines.addresses import AddressRefused, AddressRule, literal_address
from solver.engines.digests import adapter_digest, description_digest, file_digest
from solver.engines.protocol import ChatRequest, Message, Role, Sampling
from solver.engines.settings import Capabilities as Capabilities
from solver.engines.settings import LocalSettings as LocalSettings
from solver.engines.settings import SamplingDefaults, Strict, Timeouts, VllmSettings

BASE = "base"  # the model name that means: no adapter
DEFAULT = "default"
_ROLES = frozenset({*(role.value for role in Role), DEFAULT})
_PATHS = ("base", "adapters", "recordings", "members", "vllm")
# Who describes an engine must not read the lab's secrets, or this machine's other ones, out by way of its server.
_OF_THE_LAB = frozenset({"MCL_SECRET_KEY", "DATABASE_URL", "REDIS_URL"})
_OF_ENGINES = "_API_KEY"  # how the names of variables end that may be sent
_MORE_KEYS = "MCL_ENGINE_KEYS"  # others that the operator allows, with commas between
_ACCOUNTS = ("price_table", "stored_answers")  # about money; a run that goes on does not ask for them


class EngineKind(StrEnum):
    OPENAI = "openai"
    TRANSFORMERS = "transformers"
    RECORDED = "recorded"
    ROUTED = "routed"  # each role goes to one of several other engines


class BadSpec(ValueError):
    """An engine description that cannot be used. `sentences`: what is wrong, where, and how to mend it."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$")]


class EngineSpec(Strict):
    """One engine. Fields that mean nothing to its kind are refused rather than ignored."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    kind: EngineKind
    label: str = Field(default="", max_length=200)
    models: dict[str, str] = Field(default_factory=dict)
    templates: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = "lab"
    context_tokens: int | None = Field(default=None, gt=0)
    sampling: SamplingDefaults = SamplingDefaults()
    timeouts: Timeouts = Timeouts()
    price_table: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] | None = None
    stored_answers: Literal["auto", "never", "always"] = "auto"
    simulated: bool = False
    # openai
    base_url: str | None = None
    key_env: str | None = None
    capabilities: Capabilities = Capabilities()
    extra_body: dict[str, Any] = Field(default_factory=dict)
    max_concurrency: int = Field(default=8, ge=1, le=4096)
    rpm: int | None = Field(default=None, ge=1)
    tries: int = Field(default=5, ge=1, le=20)
    allow_private: bool = False
    allow_loopback: bool = False
    vllm: VllmSettings | None = None  # the lab starts and tends the server at base_url itself
    # transformers
    base: str | None = None
    adapters: dict[Name, str] = Field(default_factory=dict)
    local: LocalSettings = LocalSettings()
    # recorded
    recordings: tuple[str, ...] = ()
    tokens_per_second: float = Field(default=0.0, ge=0)
    # routed: role or `default` -> engine; the book of engines puts in the members themselves
    routes: dict[str, str] = Field(default_factory=dict)
    members: tuple[EngineSpec, ...] = ()

    @classmethod
    def parse(cls, data: Mapping[str, Any], root: Path | None = None) -> EngineSpec:
        """A spec from plain data. Relative folders and files are resolved against `root`. Raises BadSpec."""
        given = dict(data)
        try:
            spec = cls.model_validate(given)
        except ValidationError as error:
            raise BadSpec(_sentences(given.get("name"), error)) from None
        return spec if root is None else spec._resolved(root)

    @field_validator("key_env")
    @classmethod
    def _key_env_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _is_env_name(value):
            raise ValueError(
                "must be the NAME of an environment variable, such as TEACHER_API_KEY "
                "(capital letters, digits and underscores), never the key itself"
            )
        if value in _OF_THE_LAB:
            raise ValueError(
                f"must not be {value}, which is the lab's own and would be sent to the server as its key; "
                "name a variable that holds this server's key and nothing else"
            )
        return value

    @property
    def key_objection(self) -> str:
        """Why the variable `key_env` is not read here, as a sentence; "" where it may be. It depends on this process's
        environment, so it is asked when an engine is stored and before its key is sent, not when it is read."""
        allowed = os.environ.get(_MORE_KEYS, "").replace(" ", "").split(",")
        if self.key_env is None or self.key_env.endswith(_OF_ENGINES) or self.key_env in allowed:
            return ""
        return (
            f"Engine {self.name!r}: key_env must end in {_OF_ENGINES}, as TEACHER{_OF_ENGINES} does, and {self.key_env} does "
            f"not: its value is sent to the server, and no other secret of this machine may be. Whoever runs the lab can "
            f"allow it by naming it in {_MORE_KEYS}."
        )

    @field_validator("base_url")
    @classmethod
    def _base_url_is_plain(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            port_is_valid = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_is_valid = urlsplit(""), False
        if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
            raise ValueError("must be a full address such as https://api.example.org/v1")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ValueError(
                "must hold no user, password, query or fragment; a key belongs in an environment variable"
            )
        return value.rstrip("/")

    @field_validator("models", "routes")
    @classmethod
    def _models_are_keyed_by_role(cls, value: dict[str, str]) -> dict[str, str]:
        for role, model in value.items():
            if role not in _ROLES:
                raise ValueError(f"has no role {role!r}; the roles are {', '.join(sorted(_ROLES))}")
            if not model.strip():
                raise ValueError(f"names no model for {role!r}; write a model name or leave the role out")
        return value

    @model_validator(mode="before")
    @classmethod
    def _recordings_are_simulated(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("kind") == EngineKind.RECORDED:
            return {"simulated": True, **data}
        return data

    @model_validator(mode="after")
    def _fits_its_kind(self) -> EngineSpec:
        {
            EngineKind.OPENAI: self._check_openai,
            EngineKind.TRANSFORMERS: self._check_transformers,
            EngineKind.RECORDED: self._check_recorded,
            EngineKind.ROUTED: self._check_routed,
        }[self.kind]()
        return self

    def _check_openai(self) -> None:
        self._refuse("base", "recordings", "routes", "members")
        if self.base_url is None:
            raise ValueError("an openai engine needs base_url, such as http://127.0.0.1:8000/v1")
        if not self.models:
            raise ValueError("an openai engine needs models, such as {default: Qwen/Qwen2.5-7B-Instruct}")
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        literal = literal_address(host)
        if literal is not None:
            try:
                self.address_rule.check(host, literal)
            except AddressRefused as refused:
                raise ValueError(f"base_url: {refused}") from None
        if parts.scheme == "http" and self.key_env and not (self.allow_private or self.allow_loopback):
            raise ValueError("base_url is plain http, so the key would travel unencrypted; use https")
        if self.vllm is not None:
            self._check_vllm(host, parts.port)

    def _check_vllm(self, host: str, port: int | None) -> None:
        """Loading adapters while it runs is not for other people's hands: the server listens on loopback only."""
        if host not in ("127.0.0.1", "localhost", "::1") or port is None or not self.allow_loopback:
            raise ValueError(
                "a vLLM that the lab starts needs a base_url on this machine with a port, such as "
                "http://127.0.0.1:8100/v1, and allow_loopback"
            )
        if self.key_env:
            raise ValueError("key_env means nothing to a vLLM that the lab starts; leave it out")

    def _check_transformers(self) -> None:
        self._refuse("base_url", "key_env", "recordings", "routes", "members", "vllm")
        if self.base is None:
            raise ValueError("a transformers engine needs base, the folder of the base model")
        if BASE in self.adapters:
            raise ValueError(f"no adapter may be called {BASE!r}, which means the model without an adapter")
        for role, model in self.models.items():
            if model != BASE and model not in self.adapters:
                known = ", ".join([BASE, *sorted(self.adapters)])
                raise ValueError(f"models: {role} names {model!r}, which is not among {known}")

    def _check_recorded(self) -> None:
        self._refuse("base_url", "key_env", "base", "adapters", "routes", "members", "vllm")
        if not self.recordings:
            raise ValueError("a recorded engine needs recordings, a list of JSON Lines files")
        if not self.simulated:
            raise ValueError("a recorded engine is always simulated; leave the field out")

    def _check_routed(self) -> None:
        self._refuse("base_url", "key_env", "base", "adapters", "recordings", "models", "vllm")
        if DEFAULT not in self.routes:
            raise ValueError("a routed engine needs routes, such as {default: student, debugging: teacher}")
        if any(member.kind is EngineKind.ROUTED for member in self.members):
            raise ValueError("routes lead to engines that answer themselves, not to another routed engine")

    def _refuse(self, *fields: str) -> None:
        for field in fields:
            if getattr(self, field):
                raise ValueError(
                    f"{field} means nothing to an engine of kind {self.kind.value}; leave it out"
                )

    @property
    def address_rule(self) -> AddressRule:
        return AddressRule(self.allow_private, self.allow_loopback)

    @property
    def title(self) -> str:
        return self.label or self.name

    @property
    def constrains(self) -> bool:
        """Whether it can hold its answers to a grammar; a routed engine can where all its members can."""
        if self.kind is EngineKind.ROUTED:
            return all(member.constrains for member in self.members)
        if self.kind is EngineKind.OPENAI:
            return self.capabilities.structured_output
        return self.kind is EngineKind.TRANSFORMERS

    def member_for(self, role: Role) -> EngineSpec:
        """The engine that answers `role`: of a routed engine one of its members, else itself."""
        if self.kind is not EngineKind.ROUTED:
            return self
        wanted = next(self.routes[key] for key in (role.value, role.agent, DEFAULT) if key in self.routes)
        found = next((member for member in self.members if member.name == wanted), None)
        if found is None:
            raise BadSpec(
                [f"Engine {self.name!r} sends {role.value} to {wanted!r}, which is not configured."]
            )
        return found

    def model_for(self, role: Role) -> str:
        """The model or adapter that serves `role`: its own entry, its agent's, or the default."""
        if self.kind is EngineKind.ROUTED:
            return self.member_for(role).model_for(role)
        for key in (role.value, role.agent, DEFAULT):
            if key in self.models:
                return self.models[key]
        if self.kind is EngineKind.TRANSFORMERS:
            return BASE
        if self.kind is EngineKind.RECORDED:
            return "recorded"
        raise BadSpec(
            [f"engine {self.name!r} names no model for {role.value} and no default; add one to models."]
        )

    def request(
        self,
        role: Role,
        messages: tuple[Message, ...],
        *,
        seed: int | None = None,
        grammar: str | None = None,
    ) -> ChatRequest:
        """The call this engine would be asked: its model for the role and its sampling defaults."""
        defaults = self.sampling
        sampling = Sampling(
            temperature=defaults.temperature,
            top_p=defaults.top_p,
            max_tokens=defaults.max_tokens,
            seed=defaults.seed if seed is None else seed,
        )
        return ChatRequest(role, self.model_for(role), messages, sampling, grammar)

    def digest(self) -> str:
        """SHA-256 of all that can change an answer; equal digests may share one opened engine."""
        return description_digest(self.model_dump(mode="json", exclude=set(_ACCOUNTS)))

    def home(self) -> str:
        """SHA-256 of what one opened engine is: adapters whose names hold their digest (`coding@77c1`) come and go in it,
        and who serves which role is the caller's affair."""
        own = {name: folder for name, folder in self.adapters.items() if "@" not in name}
        return self.model_copy(update={"adapters": own, "models": {}}).digest()

    def public(self) -> dict[str, Any]:
        """What a run keeps and a page shows: no path of this machine; weights and recordings by content.

        A sha256 of None means that the file is not on this machine (the engine then lives on another host).
        """
        data = self.model_dump(mode="json", exclude={*_PATHS, *_ACCOUNTS}, exclude_defaults=True)
        data.update(name=self.name, kind=self.kind.value, label=self.title, digest=self.digest())
        data["simulated"] = self.simulated
        if self.base is not None:
            data["base"] = Path(self.base).name
        if self.adapters:
            data["adapters"] = {name: adapter_digest(Path(folder)) for name, folder in self.adapters.items()}
        if self.vllm is not None:
            data["base"] = Path(self.vllm.model).name
        if self.members:
            data["members"] = [member.public() for member in self.members]
        if self.recordings:
            data["recordings"] = {Path(file).name: file_digest(Path(file)) for file in self.recordings}
        return data

    def _resolved(self, root: Path) -> EngineSpec:
        return self.model_copy(
            update={
                "base": None if self.base is None else str(root / self.base),
                "adapters": {name: str(root / folder) for name, folder in self.adapters.items()},
                "recordings": tuple(str(root / file) for file in self.recordings),
                "vllm": None if self.vllm is None else self.vllm.resolved(root),
            }
        )


def parse_specs(entries: Sequence[Mapping[str, Any]], root: Path | None = None) -> dict[str, EngineSpec]:
    """Engines by name, in order. Every bad entry is reported, not only the first. Raises BadSpec."""
    specs: dict[str, EngineSpec] = {}
    wrong: list[str] = []
    for entry in entries:
        try:
            spec = EngineSpec.parse(entry, root)
        except BadSpec as error:
            wrong.extend(error.sentences)
            continue
        if spec.name in specs:
            wrong.append(f"Engine {spec.name!r} is described twice; give each engine its own name.")
        specs[spec.name] = spec
    if wrong:
        raise BadSpec(wrong)
    return specs


def _is_env_name(value: str) -> bool:
    return value.isascii() and value.isidentifier() and value == value.upper()


def _sentences(name: object, error: ValidationError) -> list[str]:
    title = f"Engine {name!r}" if isinstance(name, str) and len(name) < 80 else "An engine"
    sentences = []
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"])
        what = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
        if item["type"] == "extra_forbidden":
            what = "there is no such field; check the spelling"
        sentences.append(f"{title}, {where}: {what}." if where else f"{title}: {what}.")
    return sentences
