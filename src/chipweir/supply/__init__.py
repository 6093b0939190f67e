"""The supply room."""
