"""Pure statistics of evaluations: shares, pass@k, paired tests, resampling. docs/reference/statistics.md says when which."""
