"""Writes files and folders that are there whole or not at all, and what long work says of its progress."""
