import numpy as np
import pandas as pd
import pytest

from dsn_saal.domain.errors import BadRequest
from dsn_saal.storage.tables import read_table, write_table


def test_a_table_comes_back_and_its_bytes_depend_on_its_content_only(tmp_path):
    table = pd.DataFrame({"case": ["a", "b"], "label": np.array([0, 1], np.int8), "z_mm": [1.5, -2.0]})
    write_table(tmp_path / "a.parquet", table)
    write_table(tmp_path / "b.parquet", table.set_index(pd.Index([7, 9])))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), table)


def test_a_missing_or_foreign_file_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="no such table"):
        read_table(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_text("case,label\n")
    with pytest.raises(BadRequest, match="not a parquet table"):
        read_table(tmp_path / "a.parquet")
