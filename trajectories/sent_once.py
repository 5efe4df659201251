"""The key under which a form starts work once, however often it is sent."""

from __future__ import annotations

import hashlib
import json

from django.http import QueryDict

UNSAID = ("csrfmiddlewaretoken", "request_id")


def key_of_form(sent: QueryDict) -> str:
    """The page's `request_id` together with all that the form says; "" without one.

    A double click says the same twice. Back brings a page with its old id: what is changed on it and sent is another wish,
    and must not be answered with the work that the first one started.
    """
    page = sent.get("request_id", "")
    if not page:
        return ""
    said = sorted((name, values) for name, values in sent.lists() if name not in UNSAID)
    return hashlib.sha256(json.dumps([page, said]).encode()).hexdigest()[:32]
