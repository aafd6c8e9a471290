"""What people read: tables, figures and intervals."""
