"""The strategy room."""
