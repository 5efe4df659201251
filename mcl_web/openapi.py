"""Adds to the generated OpenAPI document the error answers that every operation can give."""

from __future__ import annotations

from typing import Any

ERRORS = {
    "400": "The request makes no sense; the body says which field.",
    "403": "Not allowed.",
    "404": "No such thing.",
}


def document_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular lists answers of success only; a client wants to know the others too."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problems"] = {
        "description": "What is wrong: a sentence under `detail`, or sentences by field.",
        "type": "object",
        "additionalProperties": True,
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in ERRORS.items():
                body = {"application/json": {"schema": {"$ref": "#/components/schemas/Problems"}}}
                operation["responses"].setdefault(status, {"description": description, "content": body})
    return result
