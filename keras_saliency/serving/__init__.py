"""What leaves: maps and overlays of photographs, and SavedModels for TF Serving."""
