"""Adapters a server has to be told of: it forgets those that were loaded while it ran when it is started again.

The lab's own description of the engine is the truth. So the client, on the answer "unknown model" for a name that
the description maps to a folder, has the server load that folder and asks once more. vLLM and the lab's own engine
take the same two requests; vLLM only when it runs with VLLM_ALLOW_RUNTIME_LORA_UPDATING=1. The folder is a path on
the server's machine. A name stands for one content for ever (`coding@77c1`): it is never loaded over.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import openai

from solver.engines.openai_errors import RAISED, ErrorSentences, Setback
from solver.engines.protocol import EngineRefused, EngineUnreachable

LOAD, UNLOAD = "/load_lora_adapter", "/unload_lora_adapter"
_ALREADY = re.compile(r"already (been )?loaded", re.IGNORECASE)
_LOAD_S = 60.0  # reading the weights of a large adapter from a network disk


async def load_adapter(
    client: openai.AsyncOpenAI, sentences: ErrorSentences, name: str, folder: str, headers: Any
) -> None:
    """Have the server serve the adapter in `folder` as `name`; fine if it does already. Raises Setback."""
    body = {"lora_name": name, "lora_path": folder}
    try:
        async with asyncio.timeout(_LOAD_S):
            await client.post(LOAD, body=body, cast_to=object, options={"headers": headers})
    except TimeoutError:
        late = f"{sentences.who} did not load the adapter {name!r} within {_LOAD_S:g} s; check its log."
        raise Setback(EngineUnreachable(late), down=True) from None
    except openai.APIStatusError as error:
        if error.status_code == 400 and _ALREADY.search(error.message):
            return
        if error.status_code in (404, 405) and name not in error.message:
            text = (
                f"{sentences.who} has no adapter {name!r} and loads none while it runs; name it when you start the "
                "server, or allow loading (vLLM: VLLM_ALLOW_RUNTIME_LORA_UPDATING=1)."
            )
            raise Setback(EngineRefused(text)) from None
        raise sentences.setback(error, model=name, started=False) from None
    except RAISED as error:
        raise sentences.setback(error, model=name, started=False) from None


async def unload_adapter(
    client: openai.AsyncOpenAI, sentences: ErrorSentences, name: str, headers: Any
) -> None:
    """Have the server forget `name`. Raises Setback."""
    try:
        async with asyncio.timeout(_LOAD_S):
            await client.post(UNLOAD, body={"lora_name": name}, cast_to=object, options={"headers": headers})
    except TimeoutError:
        late = f"{sentences.who} did not unload the adapter {name!r} within {_LOAD_S:g} s; check its log."
        raise Setback(EngineUnreachable(late), down=True) from None
    except RAISED as error:
        raise sentences.setback(error, model=name, started=False) from None
