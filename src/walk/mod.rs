//! Yields sources and bytes: directory crawl, scope and mounts, bounded reading.
