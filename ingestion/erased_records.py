"""REDCap without the records of who was erased: taken out before a reply is kept or read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ingestion.erased import erased_among
from ingestion.erasing_raw import records_in, without_records
from ingestion.errors import BadReply
from ingestion.source import Ask, Reading, Reply, Source
from ingestion.sources._redcap_mapping import read_mapping
from warehouse import register as reg
from warehouse.home import Store


class WithoutErased:
    """A source of records, as the store may know it."""

    def __init__(self, store: Store, source: Source) -> None:
        self._store, self._source = store, source
        self.name, self.delivers, self.era = source.name, source.delivers, source.era

    def fetch(self, client: Any, ask: Ask) -> Iterator[Reply]:
        """The replies, without rows of anybody who was erased."""
        if not self._store.register.rows(sa.select(reg.erasure.c.begun_at).limit(1)):
            yield from self._source.fetch(client, ask)
            return
        record_id = read_mapping(ask.study).record_id
        try:
            for reply in self._source.fetch(client, ask):
                told = records_in(reply.body, record_id)
                gone = erased_among(self._store.register, told)
                yield replace(reply, body=without_records(reply.body, gone, record_id))
        except BadReply as error:
            error.body = b""  # of what is no list of rows, nobody's can be taken out
            raise

    def read(self, replies: Sequence[Reply], ask: Ask) -> Reading:
        """As the source reads them."""
        return self._source.read(replies, ask)
