"""Benchmarks: speed and memory, measured on whole processes, never inside the test suite."""
