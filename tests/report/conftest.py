import pytest
import xarray as xr
from synthetic_run import synthetic_run


@pytest.fixture(scope="session")
def run() -> xr.Dataset:
    return synthetic_run()
