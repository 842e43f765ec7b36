"""HTTP/1.1 to upstreams at the level of bytes: strict in what it reads, pooled, bounded, cancelled by closing."""
