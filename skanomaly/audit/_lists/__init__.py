"""What collected lists miss, how fast they change, and effects of one event."""
