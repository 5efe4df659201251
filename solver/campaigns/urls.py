from django.urls import path

from solver.campaigns import pages
from solver.campaigns.alignment_page import alignment_page

urlpatterns = [
    path("campaigns/", pages.campaign_list, name="campaigns"),
    path("campaigns/new/", pages.new, name="campaign-new"),
    path("campaigns/draft/", pages.draft_check, name="campaign-draft"),
    path("campaigns/compare/", pages.comparison, name="campaign-compare"),
    path("campaigns/alignment/", alignment_page, name="campaign-alignment"),
    path("campaigns/<int:pk>/", pages.detail, name="campaign"),
    path("campaigns/<int:pk>/progress/", pages.progress_part, name="campaign-progress"),
    path("campaigns/<int:pk>/report.json", pages.report_json, name="campaign-json"),
    path("campaigns/<int:pk>/runs.csv", pages.runs_csv, name="campaign-csv"),
    path("campaigns/<int:pk>/table.tex", pages.table_tex, name="campaign-tex"),
    path("campaigns/<int:pk>/<str:verb>/", pages.act, name="campaign-act"),
]
