"""The lab's own engine as a process of its own, behind the OpenAI-compatible API.

    python -m solver.engines.server SPEC --socket PATH

A process, because a model in a worker would share its memory, its threads and its death; HTTP, because vLLM and every
hosted endpoint are spoken to in the same way. One model thread computes; an event loop answers the callers.
"""
