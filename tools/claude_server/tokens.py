"""How many tokens a request has, and which of them are cached."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CHARS = 2.7
_LOOKBACK = 20
TTL_SECONDS = {"5m": 300.0, "1h": 3600.0}


def tokens_of(chars: int) -> int:
    """Tokens of so many characters."""
    return math.ceil(chars / _CHARS)


@dataclass(frozen=True)
class Block:
    """A piece of a prompt: its text, the lifetime of the prefix that it ends ("" where it ends none)."""

    text: str
    ttl: str = ""
    cacheable: bool = True


def blocks_of(body: dict[str, Any]) -> list[Block]:
    """The blocks of a request in the order of the prompt: output format, tools, system, messages."""
    blocks = list(_blocks(body))
    if body.get("cache_control"):
        last = max(i for i, block in enumerate(blocks) if block.cacheable)
        blocks[last] = Block(blocks[last].text, _ttl(body))
    return blocks


def _ttl(holder: dict[str, Any]) -> str:
    control = holder.get("cache_control")
    return control.get("ttl", "5m") if control else ""


def _blocks(body: dict[str, Any]) -> Iterator[Block]:
    if format_ := (body.get("output_config") or {}).get("format"):
        yield Block(json.dumps(format_["schema"]))
    for tool in body.get("tools") or ():
        yield Block(json.dumps({key: tool[key] for key in tool if key != "cache_control"}), _ttl(tool))
    for content in (body.get("system") or "", *(message["content"] for message in body["messages"])):
        if isinstance(content, str):
            yield Block(content)
            continue
        for block in content:
            text = block["text"] if block["type"] == "text" else json.dumps(block)
            yield Block(text, _ttl(block), cacheable=block["type"] != "thinking")


@dataclass(frozen=True)
class Prefix:
    """A prefix that a breakpoint ends."""

    key: bytes
    tokens: int
    ttl: str


@dataclass(frozen=True)
class InputTokens:
    """A request's input tokens by how they are billed; their sum is the request's length."""

    plain: int
    read: int
    written: dict[str, int]

    @property
    def total(self) -> int:
        return self.plain + self.read + sum(self.written.values())


class PromptCache:
    """Prefixes of prompts until they expire. `now` is seconds of any steady clock."""

    def __init__(self) -> None:
        self._expires: dict[bytes, float] = {}

    def look_up(self, model: str, minimum: int, blocks: list[Block], now: float) -> tuple[InputTokens, list[Prefix]]:
        """How the input would be billed now, and the prefixes that are in the cache once the answer has begun."""
        digest, chars = hashlib.sha256(model.encode()), 0
        seen: list[Prefix] = []
        for block in blocks:
            digest.update(f"{len(block.text)}:".encode() + block.text.encode("utf-8", "surrogatepass"))
            chars += len(block.text)
            seen.append(Prefix(digest.digest(), tokens_of(chars), block.ttl))
        total = tokens_of(chars)
        ends = [i for i, prefix in enumerate(seen) if prefix.ttl and prefix.tokens >= minimum]
        candidates = (i for end in reversed(ends) for i in range(end, max(-1, end - _LOOKBACK), -1))
        hit = next((i for i in candidates if self._expires.get(seen[i].key, 0.0) > now), None)
        read = 0 if hit is None else seen[hit].tokens
        written, upto = {"5m": 0, "1h": 0}, read
        for end in ends:
            if seen[end].tokens > upto:
                written[seen[end].ttl] += seen[end].tokens - upto
                upto = seen[end].tokens
        return InputTokens(total - upto, read, written), [seen[end] for end in ends]

    def keep(self, prefixes: list[Prefix], now: float) -> None:
        """Puts prefixes into the cache, or renews them."""
        for prefix in prefixes:
            self._expires[prefix.key] = max(self._expires.get(prefix.key, 0.0), now + TTL_SECONDS[prefix.ttl])
