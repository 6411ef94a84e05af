"""The one hash of the project: BLAKE2b (RFC 7693) over length-prefixed parts, so that no two lists of parts collide."""

from hashlib import blake2b


def digest(*parts: str | bytes) -> str:
    """128-bit BLAKE2b of `parts`, as 32 hexadecimal digits."""
    h = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        h.update(b"%d:" % len(data))
        h.update(data)
    return h.hexdigest()


def content_hash(text: str) -> str:
    """The hash that joins a node's `provenance_hash` to the text it goes back to."""
    return digest("content", text)
