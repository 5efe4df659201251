"""The review desk where judging becomes training: the pages, and what accepting a step makes of it."""
