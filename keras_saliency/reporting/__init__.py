"""What people read: tables, figures, intervals, and the progress of long work."""
