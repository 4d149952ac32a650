"""Who made this from what: records that travel with the results, and code and content digests."""
