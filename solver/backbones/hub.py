"""Where a backbone lies: a folder, or a model of the hub that is fetched once, safetensors only."""

from __future__ import annotations

import re
from pathlib import Path

from solver.engines.base_model import BadBase

WANTED = ["*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer*"]
WANTED += ["vocab*", "merges.txt", "chat_template.jinja", "special_tokens_map.json", "LICENSE*"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def locate(given: str) -> Path:
    """The folder of `given`. Raises BadBase. Pickle files and code are not even fetched."""
    folder = Path(given).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if not _NAME.fullmatch(given):
        raise BadBase(
            f"There is no folder {given!r}, and it is no name of the hub such as Qwen/Qwen2.5-7B-Instruct."
        )
    from huggingface_hub import snapshot_download  # a second to import
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(given, allow_patterns=WANTED, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(snapshot_download(given, allow_patterns=WANTED))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise BadBase(
            f"{given} is not on this machine and could not be fetched from the hub ({why}); fetch it where there is a "
            "network and give its folder."
        ) from None
