"""Measurements of speed and memory: run by hand with `python -m tests.bench`; nothing here is asserted."""
