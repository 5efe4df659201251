"""The Celery application. Messages are door bells: they carry row ids, the rows are the jobs."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcl_web.settings")

app = Celery("mcl_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
