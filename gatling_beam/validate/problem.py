"""One fault of a trace."""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """A fault: the `rule` that found it, the call it is about ("" for the whole trace), and what was seen."""

    rule: str
    call_id: str
    detail: str
