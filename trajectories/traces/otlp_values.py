"""OTLP's JSON encoding of attribute values, both ways (opentelemetry-proto, `common.proto` as JSON)."""

from __future__ import annotations

from typing import Any

from trajectories.importers.fault import Malformed

_DEPTH = 60
_PLAIN = ("stringValue", "boolValue", "doubleValue", "bytesValue")


def decode(value: Any, path: str, depth: int = 0) -> Any:
    if not isinstance(value, dict) or depth > _DEPTH:
        raise Malformed(path, "is not an OTLP value", 'write it as {"stringValue": "..."} or the like')
    for name in _PLAIN:
        if name in value:
            return value[name]
    if "intValue" in value:  # 64-bit integers are texts in OTLP's JSON; plain numbers are seen too
        try:
            return int(value["intValue"])
        except (TypeError, ValueError) as error:
            raise Malformed(path, f"{value['intValue']!r} is no integer", "give a whole number") from error
    if "arrayValue" in value:
        values = _values(value["arrayValue"], path)
        return [decode(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(values)]
    if "kvlistValue" in value:
        return attributes(_values(value["kvlistValue"], path), path, depth + 1)
    return None


def _values(value: Any, path: str) -> list[Any]:
    found = value.get("values") if isinstance(value, dict) else value
    if found is None:
        return []
    if not isinstance(value, dict) or not isinstance(found, list):
        raise Malformed(path, "holds no list of values", 'write it as {"values": [ ... ]}')
    return found


def attributes(pairs: Any, path: str, depth: int = 0) -> dict[str, Any]:
    if pairs is None:
        return {}
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) and "key" in pair for pair in pairs):
        raise Malformed(path, "is not a list of keys with values", 'write {"key": ..., "value": {...}}')
    return {
        str(pair["key"]): decode(pair.get("value") or {}, f"{path}.{pair['key']}", depth) for pair in pairs
    }


def encode(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [encode(item) for item in value]}}
    return {"stringValue": str(value)}


def pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes in the order given; None is left out."""
    return [{"key": key, "value": encode(value)} for key, value in values.items() if value is not None]
