"""The coder of the Structs that flow between steps: msgpack with sorted keys, so that equal values give equal bytes."""

from typing import Any

import msgspec
from apache_beam import coders

from gatling_beam.sample import DeadLetter, Drop, Sample, SourceRow, Tally


class StructCoder(coders.Coder):
    """Encodes the msgspec Struct `struct` by its fields; a worker gets the same class back."""

    def __init__(self, struct: type) -> None:
        self.struct = struct
        self._encoder = msgspec.msgpack.Encoder(order="deterministic")
        self._decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(struct)

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> "StructCoder":
        return cls(typehint)

    def encode(self, value: Any) -> bytes:
        return self._encoder.encode(value)

    def decode(self, encoded: bytes) -> Any:
        return self._decoder.decode(encoded)

    def is_deterministic(self) -> bool:
        return True

    def to_type_hint(self) -> type:
        return self.struct

    def __reduce__(self) -> tuple[type["StructCoder"], tuple[type]]:
        return StructCoder, (self.struct,)

    def __eq__(self, other: object) -> bool:
        return type(other) is StructCoder and other.struct is self.struct

    def __hash__(self) -> int:
        return hash((StructCoder, self.struct))


def register(*structs: type) -> None:
    """Registers `StructCoder` for each of `structs`; without it Beam would pickle them."""
    for struct in structs:
        coders.registry.register_coder(struct, StructCoder)


register(Sample, SourceRow, DeadLetter, Tally, Drop)
