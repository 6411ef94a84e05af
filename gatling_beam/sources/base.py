"""What an adapter makes of a row: the calls, the offered tools and what else the row says about the plan."""

from typing import Any

import msgspec


class Call(msgspec.Struct):
    """A tool call as the row holds it, in source order.

    Attributes:
      name: the tool's name, as written.
      arguments: the decoded argument object.
      turn: number of the assistant message that makes the call; calls of one message are parallel.
      label: the names under which later arguments refer to this call's result ("var1", "3", "API_call_0 API_call_1"),
        separated by blanks; "" if none.
      call_id: the row's own id of the call ("call_abc"); "" if none.
      result: what the call returned, as the row shows it (text or JSON value); None if the row does not say.
    """

    name: str
    arguments: dict[str, Any]
    turn: int = 0
    label: str = ""
    call_id: str = ""
    result: Any = None


class Extracted(msgspec.Struct, kw_only=True):
    """The content of one row.

    Attributes:
      request: the user's words; several turns are joined by a newline.
      calls: in source order; empty where the row makes no call.
      tools: the offered tools as the row declares them (unwrapped objects with a `name`), or None where it declares
        none.
      original_id: the row's own id, or None.
      edges: dependencies the row states, as (from index, to index, evidence).
      references: the syntax in which arguments refer to earlier results (a key of `attribution.REFERENCES`), or "".
      language: BCP 47 code of the request, or "" to take the source's.
      variants: the same request in other languages, as (language, text).
      names_only: the row names tools without arguments.
      split: the row's own split where the file mixes several, or "".
      category: or "" to take the source's.
    """

    request: str
    calls: list[Call]
    tools: list[dict[str, Any]] | None = None
    original_id: str | None = None
    edges: list[tuple[int, int, str]] = []
    references: str = ""
    language: str = ""
    variants: list[tuple[str, str]] = []
    names_only: bool = False
    split: str = ""
    category: str = ""
