"""What an audit takes in of rows: it can be gathered in parts, anywhere, and merged."""

from collections.abc import Iterable

import msgspec

from gatling_beam.audit.collect import Collector
from gatling_beam.audit.counts import Counts
from gatling_beam.sample import Sample


class Gathering(msgspec.Struct):
    """The kept rows and the counts of all rows.

    At most the collector's cap of rows of each strategy and kind are held, packed, and 24 bytes of every row.
    """

    collector: Collector
    counts: Counts = msgspec.field(default_factory=Counts)

    @classmethod
    def of(cls, cap: int) -> "Gathering":
        """An empty one that holds `cap` rows of each strategy and kind."""
        return cls(Collector(cap))

    def add(self, sample: Sample) -> None:
        """Takes a row whose place in a file is not known."""
        self.collector.add(sample)
        self.counts.add(sample)

    def add_file(self, rows: Iterable[Sample]) -> None:
        """Takes all rows of a file, in their order."""
        self.collector.start_file()
        for place, sample in enumerate(rows):
            self.collector.add(sample, place)
            self.counts.add(sample)

    def merge(self, other: "Gathering") -> None:
        """Takes what another one of the same cap has gathered."""
        self.collector.merge(other.collector)
        self.counts.merge(other.counts)

    def packed(self) -> bytes:
        """As bytes, for another process."""
        return _encode(self)

    @staticmethod
    def unpacked(data: bytes) -> "Gathering":
        """Of the bytes that `packed` gave."""
        return _decode(data)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Gathering).decode
