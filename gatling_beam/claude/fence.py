"""Data inside a prompt: fenced, so that nothing in it reads as a part of the prompt."""

import json
from typing import Any


def fenced(tag: str, value: Any) -> str:
    """`value` as JSON between `<tag>` and `</tag>`; it cannot hold an angle bracket, hence no closing tag."""
    text = json.dumps(value, ensure_ascii=False)
    return f"<{tag}>\n{text.replace('<', chr(92) + 'u003c').replace('>', chr(92) + 'u003e')}\n</{tag}>"
