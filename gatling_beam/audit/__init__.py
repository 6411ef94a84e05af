"""What the data give away: probes of each input group, their ceilings, two readers of the text, and the report."""
