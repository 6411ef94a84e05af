"""gatling-beam: training data for models that judge an agent's plan before it runs.

The core is plain Python; the Beam transforms are in `gatling_beam.transforms`, the jobs in `gatling_beam.pipelines`.
"""

__version__ = "0.1.0"
