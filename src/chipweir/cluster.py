"""Ensembles on more machines, by Dask."""
