"""What a fit leaves behind: public objects."""
