"""The embedded Kafka of a newsroom that does not run, for the time of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from desk.bringing import bring_up, prepare_kafka
from desk.lock import only_one
from desk.machine import MachineSettings
from desk.parts.kafka import Kafka
from desk.parts.part import PartFailed
from desk.parts.prepare import is_prepared
from desk.progress import to_stderr
from desk.screen import Screen
from desk.signals import Signals
from newsroom.errors import Away

_START_SECONDS = 180.0
_STOP_SECONDS = 15.0


@contextmanager
def kafka_for_now(settings: MachineSettings) -> Iterator[str]:
    """Its address, for as long as the block lasts. Raises: Misconfigured where another runs, Away."""
    home, screen = settings.folder, to_stderr()
    home.make()
    with only_one(home.lock_file, ""):
        _bring_jars(settings, screen)
        ports = (settings.kafka_port, settings.kafka_controller_port)
        part = Kafka(home, *ports, settings.parts_folder)
        try:
            bring_up([part], _START_SECONDS, screen, Signals(at_once=lambda: None))
            yield part.where
        except PartFailed as error:
            raise Away("kafka", str(error)) from error
        finally:
            part.stop(_STOP_SECONDS)


def _bring_jars(settings: MachineSettings, screen: Screen) -> None:
    folder = settings.parts_folder
    if not is_prepared(folder):
        prepare_kafka(settings.folder, folder, screen, Signals(at_once=lambda: None))
