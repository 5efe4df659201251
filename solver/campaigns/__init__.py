"""Campaigns: problems x strategies x models x seeds, run to a report. docs/how-to/campaigns.md shows how to use them."""
