"""Small faults in the text of a module, and runs of its tests on each."""
