if not __name__.startswith("gatling_beam."):
    raise ImportError(f"import gatling_beam.transforms, not {__name__}: a second copy brings second coders and classes")
