"""The one hash of the project: BLAKE2b (RFC 7693) over length-prefixed parts, so that no two lists of parts collide."""

from hashlib import blake2b


def digest(*parts: str) -> str:
    """128-bit BLAKE2b of `parts`, as 32 hexadecimal digits."""
    data = "".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=16).hexdigest()


def content_hash(text: str) -> str:
    """The hash that joins a node's `provenance_hash` to the text it goes back to."""
    return digest("content", text)
