"""What the pages read: the warehouse and the lake, opened once for the whole application."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import Request

from include.settings import Settings
from include.storage.lake import Lake

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Data:
    """The warehouse and the lake of the settings; opened by the first page that asks."""

    def __init__(self, settings: Settings) -> None:
        """Name the places; nothing is opened yet."""
        self.settings = settings

    @cached_property
    def lake(self) -> Lake:
        """The lake, on a disk or in a bucket."""
        return Lake(self.settings.lake_root)

    @cached_property
    def engine(self) -> Engine:
        """A small pool of read-only connections to the warehouse. Raises WarehouseUnreachable."""
        from include.warehouse.reading import pages_engine

        return pages_engine(self.settings.warehouse_dsn)

    def close(self) -> None:
        """Close what was opened."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def _data_of(request: Request) -> Data:
    data: Data = request.app.state.data
    return data


CurrentData = Annotated[Data, Depends(_data_of)]
