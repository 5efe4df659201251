"""The names that the lab reads and writes in OpenTelemetry traces.

The GenAI conventions are still in development and change between versions; the lab writes one pinned version and says
so in each trace. What it reads also covers the names of earlier versions and of OpenLLMetry's indexed attributes.
"""

from __future__ import annotations

# The GenAI conventions as of core semantic-conventions 1.41 plus the operation `plan`, which they gained when they
# moved to a repository of their own (open-telemetry/semantic-conventions-genai).
SEMCONV = "1.41.0"
SCHEMA_URL = f"https://opentelemetry.io/schemas/{SEMCONV}"

OPERATION = "gen_ai.operation.name"
AGENT = "gen_ai.agent.name"
MODEL = ("gen_ai.response.model", "gen_ai.request.model")
INPUT, OUTPUT, SYSTEM = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"
PROMPT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
COMPLETION_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
FINISH = "gen_ai.response.finish_reasons"
TOOL, TOOL_ARGUMENTS, TOOL_RESULT = (
    "gen_ai.tool.name",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)

INFERENCE = ("chat", "text_completion", "generate_content")
AGENTS = ("invoke_agent", "plan", "retrieval")
EXECUTE_TOOL = "execute_tool"
WORKFLOW = "invoke_workflow"

# The lab's own: what a run is and where a step stands in it.
RUN = "mapcoder.run"
PROBLEM = "mapcoder.problem"
STRATEGY = "mapcoder.strategy"
LANGUAGE = "mapcoder.language"
VERDICT = "mapcoder.verdict"
CODE = "mapcoder.code"
STEP = "mapcoder.step"
ROLE = "mapcoder.role"
ATTEMPT = "mapcoder.attempt"
GIST = "mapcoder.gist"
TEMPLATE = "mapcoder.template"
PARSE = "mapcoder.parse"
SUITE = "mapcoder.suite"

OPERATION_OF_ROLE = {
    "retrieval": "retrieval",
    "planning": "plan",
    "confidence": "plan",
    "judge": EXECUTE_TOOL,
}
ROLE_OF_OPERATION = {"retrieval": "retrieval", "plan": "planning"}
