"""Gold traces: benign plans whose request, policy and warrant are known by construction."""
