"""Talking to a vLLM on loopback: does it answer, what does it serve, load an adapter, what has it done.

The lab's description is the truth about adapters: vLLM forgets those that were loaded while it ran when it is started
again, so whoever tends it calls `reconcile` whenever it has come up or its description has changed.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx2

from solver.engines.adapters import BadAdapter
from solver.engines.spec import EngineSpec
from solver.serving import metrics, vllm
from solver.serving.metrics import Numbers

_GLANCE_S = 5.0
_LOAD_S = 120.0
_OURS = re.compile(r".+@[0-9a-f]{12}")


class VllmServer:
    """One server; used from one thread."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        root = (spec.base_url or "").removesuffix("/v1")
        self._http = httpx2.Client(base_url=root, timeout=_GLANCE_S, trust_env=False)

    def healthy(self) -> bool:
        return self._get("/health") is not None

    def numbers(self) -> Numbers | None:
        text = self._get("/metrics")
        return None if text is None else metrics.read(text.splitlines())

    def served(self) -> set[str]:
        """Model and adapter names it serves; empty while it does not answer."""
        try:
            listed = self._http.get("/v1/models").raise_for_status().json()["data"]
            return {str(item["id"]) for item in listed}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            return set()

    def reconcile(self) -> dict[str, str]:
        """Load what the description names and it lacks, forget what it names no longer; by name "" or why not."""
        served = self.served()
        for name in served - set(self.spec.adapters):
            if _OURS.fullmatch(name):
                self._post("/v1/unload_lora_adapter", {"lora_name": name})
        return {
            name: "" if name in served else self._load(name, folder)
            for name, folder in self.spec.adapters.items()
        }

    def _load(self, name: str, folder: str) -> str:
        assert self.spec.vllm is not None
        try:
            vllm.check_adapter(self.spec.vllm, name, Path(folder))
        except BadAdapter as error:
            return str(error)
        return self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": folder})

    def _post(self, path: str, body: dict[str, str]) -> str:
        """ "" or what it said instead."""
        try:
            response = self._http.post(path, json=body, timeout=_LOAD_S)
        except httpx2.HTTPError as error:
            return f"The server did not answer ({type(error).__name__})."
        if response.status_code < 300 or "already been loaded" in response.text:
            return ""
        return f"The server refused it ({response.status_code}): {response.text[:300]}"

    def _get(self, path: str) -> str | None:
        try:
            return self._http.get(path).raise_for_status().text
        except httpx2.HTTPError:
            return None

    def close(self) -> None:
        self._http.close()
