"""One adapter a wire format: a pure function from a row and its source to what the row says about a plan.

An adapter raises BadRow or Filtered and nothing else, whatever the row holds.
"""

from collections.abc import Callable
from typing import Any

from gatling_beam.sources.base import Extracted
from gatling_beam.sources.formats.accepted_values import accepted_values
from gatling_beam.sources.formats.answer_tree import answer_tree
from gatling_beam.sources.formats.api_call import api_call
from gatling_beam.sources.formats.chat_log import chat_log
from gatling_beam.sources.formats.chosen_response import chosen_response
from gatling_beam.sources.formats.content_parts import content_parts
from gatling_beam.sources.formats.gold_actions import gold_actions
from gatling_beam.sources.formats.instruction import instruction
from gatling_beam.sources.formats.labelled_calls import labelled_calls
from gatling_beam.sources.formats.marker_chat import marker_chat
from gatling_beam.sources.formats.marker_text import marker_text
from gatling_beam.sources.formats.names_only import names_only
from gatling_beam.sources.formats.openai_messages import openai_messages
from gatling_beam.sources.formats.otel_trace import otel_trace
from gatling_beam.sources.formats.plan_graph import plan_graph
from gatling_beam.sources.formats.plan_text import plan_text
from gatling_beam.sources.formats.python_calls import python_call_chat
from gatling_beam.sources.formats.query_tools_answers import query_tools_answers
from gatling_beam.sources.formats.react_text import react_text
from gatling_beam.sources.formats.reasoning import reasoning
from gatling_beam.sources.formats.tagged_chat import tagged_chat
from gatling_beam.sources.formats.target_message import target_message
from gatling_beam.sources.formats.text_label import text_label
from gatling_beam.sources.formats.trajectory import trajectory
from gatling_beam.sources.formats.typed_turns import typed_turns
from gatling_beam.sources.spec import SourceSpec

Adapter = Callable[[dict[str, Any], SourceSpec], Extracted]

FORMATS: dict[str, Adapter] = {
    "accepted_values": accepted_values,
    "answer_tree": answer_tree,
    "api_call": api_call,
    "chat_log": chat_log,
    "chosen_response": chosen_response,
    "content_parts": content_parts,
    "gold_actions": gold_actions,
    "instruction": instruction,
    "labelled_calls": labelled_calls,
    "marker_chat": marker_chat,
    "marker_text": marker_text,
    "names_only": names_only,
    "openai_messages": openai_messages,
    "otel_trace": otel_trace,
    "plan_graph": plan_graph,
    "plan_text": plan_text,
    "python_calls": python_call_chat,
    "query_tools_answers": query_tools_answers,
    "react_text": react_text,
    "reasoning": reasoning,
    "tagged_chat": tagged_chat,
    "target_message": target_message,
    "text_label": text_label,
    "trajectory": trajectory,
    "typed_turns": typed_turns,
}
