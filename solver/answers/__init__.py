"""Model answers kept by the exact request, so that nobody pays for the same answer twice."""
