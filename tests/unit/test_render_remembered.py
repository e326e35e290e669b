"""What the read model made of a document is remembered by its bytes, unless it is long."""

from __future__ import annotations

import bson
from bson.raw_bson import RawBSONDocument

from newsroom.mongo import Document
from services.render.mongoreadmodel import _remembered


def stored(**fields: object) -> RawBSONDocument:
    """A document as it comes, each time in bytes of its own."""
    return RawBSONDocument(bson.encode(fields))


def test_of_equal_documents_one_thing_is_made() -> None:
    made: list[Document] = []

    @_remembered(2)
    def name(document: Document) -> str:
        made.append(document)
        return f"{document['name']}!"

    assert [name(stored(name=each)) for each in ("a", "a", "b", "a", "b")] == ["a!", "a!", "b!", "a!", "b!"]
    assert made == [{"name": "a"}, {"name": "b"}]
    name(stored(name="c"))
    name(stored(name="a"))
    assert [document["name"] for document in made] == ["a", "b", "c", "a"]


def test_of_a_long_one_nothing_is_remembered() -> None:
    made: list[Document] = []

    @_remembered(2)
    def size(document: Document) -> int:
        made.append(document)
        return len(document["text"])

    assert [size(stored(text="x" * 9_000)) for _ in range(2)] == [9_000, 9_000]
    assert len(made) == 2
