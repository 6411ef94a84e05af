if not __name__.startswith("gatling_beam."):
    raise ImportError(
        f"import gatling_beam.pipelines, not {__name__}: a second copy would bring second coders and classes"
    )
