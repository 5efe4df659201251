"""What guards every operation of the JSON API beside the login: bodies that cannot be read, and pages of other sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the settings that name this module


class BoundedJSONParser(JSONParser):
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The body is nested too deeply to be read.") from None


class FromThisSite(BasePermission):
    """A lab without a login has no session whose token could be asked for, so a form on any page of the web could stop or
    start runs in it. Browsers name the page's site in `Origin`; programs send none and may do everything."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises PermissionDenied: a refusal that is only returned would read as a missing login."""
        origin = request.headers.get("Origin")
        if request.method in SAFE_METHODS or origin is None or origin in settings.CSRF_TRUSTED_ORIGINS:
            return True
        try:
            same = urlsplit(origin).netloc == request.get_host()
        except ValueError:
            same = False
        if not same:
            raise PermissionDenied(
                "A page of another site may not do this; MCL_ORIGINS names those that may."
            )
        return True
