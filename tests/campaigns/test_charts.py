"""What is drawn in a table's cell is where its numbers are."""

from __future__ import annotations

from solver.benchmarks.interval import Estimate
from solver.campaigns.charts import small_interval


def test_an_interval_that_leaves_the_axis_does_not_seem_to_end_there() -> None:
    whole = small_interval(Estimate(0.1, -0.2, 0.4, 14), -0.5, 0.5, 140)
    assert whole.count("v6") == 2 and "<circle" in whole
    right = small_interval(Estimate(0.4, 0.2, 0.8, 14), -0.5, 0.5, 140)
    assert right.count("v6") == 1 and "M136.0 8l-4-3" in right and "<circle" in right
    left = small_interval(Estimate(-0.6, -0.8, -0.4, 14), -0.5, 0.5, 140)
    assert left.count("v6") == 1 and "M4.0 8l4-3" in left
    assert "<circle" not in left  # the value itself lies beyond
