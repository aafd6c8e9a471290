"""Reads files that nobody vouches for: in a process of its own, in bounded memory and time, and no other file."""
