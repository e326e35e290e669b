"""`python -m supply.sbom FILE`: the bill of materials, as CycloneDX JSON.

Made of the pinned lists alone, so that the same lists give the same bytes on any machine: what the services
need is `required`, what only one machine brings itself (Kafka, Java, mongod) or only containers stand on is
`optional`. What is for tests and checks alone ships with nothing and is not in it.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6

from supply.pinned import PARTS, RUNTIME, Pin, images, kafka_jars, packages

_SPACE = uuid.UUID("8f4fd3a5-5a57-4f0e-8a52-3d1e0c7f8b1a")


def bill() -> str:
    """The whole of it."""
    root = Component(name="newsroom", type=ComponentType.APPLICATION, bom_ref="newsroom")
    components = list(_components())
    made = Bom(
        components=components,
        metadata=BomMetaData(component=root),
        serial_number=uuid.uuid5(_SPACE, "\n".join(sorted(str(each.purl) for each in components))),
    )
    # The lists have no date, and a bill of the same lists is the same.
    made.metadata.timestamp = None  # type: ignore[assignment]  # the library writes none then
    made.register_dependency(root, components)
    return JsonV1Dot6(made).output_as_string(indent=1) + "\n"


def _components() -> Iterator[Component]:
    needed = packages(RUNTIME)
    names = {pin.name for pin in needed}
    yield from (_component(pin, ComponentScope.REQUIRED) for pin in needed)
    for pin in (*packages(PARTS), *kafka_jars()):
        if pin.name not in names:
            yield _component(pin, ComponentScope.OPTIONAL)
    yield from (_component(pin, ComponentScope.OPTIONAL, ComponentType.CONTAINER) for pin in images())


def _component(pin: Pin, scope: ComponentScope, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    return Component(
        name=pin.name,
        version=pin.version,
        type=kind,
        scope=scope,
        purl=pin.purl,
        bom_ref=str(pin.purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=pin.sha256)] if pin.sha256 else None,
        properties=[Property(name="newsroom:installed-where", value=pin.needs)] if pin.needs else None,
    )


def main(file: Path) -> None:
    """Write it, and say where it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(bill())
    print(f"{file}: a CycloneDX 1.6 bill of materials")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
