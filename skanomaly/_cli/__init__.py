"""The command line: reading, preparation, scan, output."""
