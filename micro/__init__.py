"""The micro model: a synthetic family of small contest problems and a very small language model that solves them."""
