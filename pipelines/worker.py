"""A worker process of the in-process runner: Beam's own, which says nothing on the terminal while it starts."""

import logging
import sys

if __name__ == "__main__":
    # Without a handler, the first warning of an import would write this and all later ones to the terminal of the
    # command. With it they go to the runner alone; errors come back as exceptions.
    logging.getLogger().addHandler(logging.NullHandler())
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
