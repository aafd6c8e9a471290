"""Networks for other runtimes: written, opened, and what they lose."""
