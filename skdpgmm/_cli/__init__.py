"""The command line: files in, files out, and no record in what it says."""
