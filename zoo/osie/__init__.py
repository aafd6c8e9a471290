"""Recipes for OSIE that train in minutes on two CPU cores."""
