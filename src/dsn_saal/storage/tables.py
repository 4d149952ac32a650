"""Parquet tables whose bytes depend on their content only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dsn_saal.domain.errors import BadRequest
from dsn_saal.storage.atomic import replacing


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a parquet table without its index and without pandas' own metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with replacing(path) as part:
        pq.write_table(arrow, part, compression="zstd", version="2.6", store_schema=True)


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a parquet table; raises BadRequest where it is missing or not parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=columns).to_pandas()
    except FileNotFoundError:
        raise BadRequest("there is no such table", value=path, next_step="run the stage that makes it") from None
    except pa.ArrowInvalid as error:
        raise BadRequest("not a parquet table", value=path, where=str(error).splitlines()[0]) from None
