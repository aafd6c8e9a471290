"""The networks that authors released, run from a clone of their repositories: numbers come out, no code is kept."""
