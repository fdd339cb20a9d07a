"""What is refereed, and the referees, each in an environment of its own.

`ours`, `diffprivlib`, `opendp` and `dpmm` are mechanisms with what they claim and two
neighbouring data sets; `worker` makes one run, recorded by dp-recorder or not; `judges`
has the numbers only, and gives them to jax-privacy and dp-auditorium. But for `ours`
they need numpy and their package, and nothing of skdpgmm.
"""
