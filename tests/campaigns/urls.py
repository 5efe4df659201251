"""The lab's addresses with the campaigns'."""

from __future__ import annotations

from django.urls import include, path

from mcl_web.urls import urlpatterns as lab

urlpatterns = [path("", include("solver.campaigns.urls")), *lab]
