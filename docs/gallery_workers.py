"""What a process that runs an example of the gallery needs beforehand."""


def prepare(gallery_conf, name):
    """Let transformers, which some examples use, import any torchvision."""
    import torchvision_beside_cpu  # noqa: F401
