"""Under which name a judgement is stored."""

from __future__ import annotations

from django.http import HttpRequest

NAMELESS = "reviewer"  # a lab without sign-in has one reviewer


def actor_of(request: HttpRequest) -> str:
    return request.user.get_username() or NAMELESS
