"""Snakemake and DVC trusted together: content decides, records travel, nothing is left over.

Snakemake owns the graph and DVC owns the bytes; by themselves they disagree silently. `glue.attach(workflow, ...)`,
called once where the Snakefile begins, holds them together:

- **records** reads and writes what Snakemake remembers of each output, and **travel** carries it in git beside the
  results, so that a clone with pulled results has nothing to do;
- **verdicts** compares every output, and everything it was made from, with what was recorded, by content;
- **belongings** removes what no job of the present workflow makes;
- **code** gives each rule the digest of the code it runs, **sources** the digest of data from outside.

Only `records` knows Snakemake's private format. It is pinned to one version and refuses any other.
"""
