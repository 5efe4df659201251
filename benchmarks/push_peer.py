"""The peer of `benchmarks.stream`: every viewer has its own layer channel and payloads travel through the layer."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402


class PushConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.group = f"push.{self.scope['url_route']['kwargs']['run_id']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def payload(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event["message"], ensure_ascii=False))


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([path("ws/runs/<int:run_id>/", PushConsumer.as_asgi())]),
    }
)
