"""A run's results in files that other programs read: one long table (CSV, Parquet) or netCDF."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr


def long_tables(dataset: "xr.Dataset") -> "Iterator[pa.Table]":
    """Every numeric variable as a table of one schema: variable, unit, each axis (empty where it has none), value."""
    import pyarrow as pa

    schema = long_schema(dataset)
    labels = {str(axis): _axis_labels(dataset, str(axis)) for axis in dataset.dims}
    for name, variable in dataset.data_vars.items():
        if variable.dtype.kind not in "biuf":
            continue
        columns = {
            "variable": [str(name)] * variable.size,
            "unit": [str(variable.attrs.get("units", ""))] * variable.size,
        }
        for axis, names in labels.items():
            columns[axis] = _axis_column(names, variable, axis)
        columns["value"] = pa.array(variable.values.astype(float).ravel(), from_pandas=True)
        yield pa.table(columns, schema=schema)


def _axis_labels(dataset: "xr.Dataset", axis: str) -> "pa.Array":
    """The labels of one axis: dates as months, numbers as numbers, else text."""
    import numpy as np
    import pyarrow as pa

    values = dataset[axis].values if axis in dataset.coords else np.arange(dataset.sizes[axis])
    if values.dtype.kind == "M":
        return pa.array(values.astype("datetime64[M]").astype(str).tolist())
    if values.dtype.kind in "iuf":
        return pa.array(values)
    return pa.array([str(value) for value in values])


def _axis_column(labels: "pa.Array", variable: "xr.DataArray", axis: str) -> "pa.Array":
    import numpy as np
    import pyarrow as pa

    if axis not in variable.dims:
        return pa.nulls(variable.size, labels.type)
    shape = [-1 if name == axis else 1 for name in variable.dims]
    positions = np.broadcast_to(np.arange(variable.sizes[axis]).reshape(shape), variable.shape)
    return labels.take(pa.array(positions.ravel()))


def _netcdf_attribute(value: object) -> str | int | float:
    """An attribute as netCDF can hold it: text and numbers as they are, the rest as JSON."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def long_schema(dataset: "xr.Dataset") -> "pa.Schema":
    """The columns of `long_tables`."""
    import pyarrow as pa

    axes = [(str(axis), _axis_labels(dataset, str(axis)).type) for axis in dataset.dims]
    return pa.schema([("variable", pa.string()), ("unit", pa.string()), *axes, ("value", pa.float64())])


def write_csv(dataset: "xr.Dataset", path: Path) -> None:
    """One long table as CSV; packed where `path` ends in .gz."""
    import pyarrow as pa
    from pyarrow import csv

    packed = "gzip" if path.suffix == ".gz" else None
    with (
        pa.output_stream(str(path), compression=packed) as stream,
        csv.CSVWriter(stream, long_schema(dataset)) as writer,
    ):
        for table in long_tables(dataset):
            writer.write_table(table)


def write_parquet(dataset: "xr.Dataset", path: Path) -> None:
    """One long table as Parquet."""
    from pyarrow import parquet

    with parquet.ParquetWriter(path, long_schema(dataset), compression="zstd") as writer:
        for table in long_tables(dataset):
            writer.write_table(table)


def write_netcdf(dataset: "xr.Dataset", path: Path) -> None:
    """The dataset as netCDF-4, with axes, units and attributes."""
    plain = dataset.drop_encoding()
    for attributes in (plain.attrs, *(variable.attrs for variable in plain.variables.values())):
        attributes.update({key: _netcdf_attribute(value) for key, value in attributes.items()})
    compressed = {name: {"zlib": True} for name, variable in dataset.data_vars.items() if variable.dtype.kind in "iuf"}
    plain.to_netcdf(path, engine="netcdf4", encoding=compressed)
