"""Gold traces and texts by Claude: what is asked, how an answer is read, and who asks (online, or by batches)."""
