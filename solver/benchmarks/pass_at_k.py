"""pass@k: the chance that at least one of k sampled programs is right.

M. Chen et al., "Evaluating Large Language Models Trained on Code" (2021), doi:10.48550/arXiv.2107.03374: from n
programs of one problem of which c are right, 1 - C(n - c, k) / C(n, k) estimates it without bias, while the obvious
1 - (1 - c/n)^k is too low.
"""

from __future__ import annotations

from math import comb


def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate for one problem. ValueError unless 1 <= k <= n and 0 <= c <= n."""
    if not (1 <= k <= n and 0 <= c <= n):
        raise ValueError(f"pass@{k} cannot be estimated from {c} right of {n} programs")
    return 1.0 - comb(n - c, k) / comb(n, k)
