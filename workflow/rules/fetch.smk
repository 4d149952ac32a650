# Files from an archive or a DICOMweb server, for the data sets whose source is one; a listing stands for them.
#
# They hold identities: data/fetched/ is ignored by git, and no stage of DVC owns it.

import os
from dsn_saal.ingest.fetch.wanted import LIST_VARIABLE, list_digest

FETCHED = "data/fetched"


def archive(wildcards):
    """The archive that a data set comes from."""
    source = settings.datasets[wildcards.dataset].source
    return [] if "://" in source else source


def studies(wildcards):
    """A keyed digest of the list of studies, where they come from a server."""
    named = os.environ.get(LIST_VARIABLE)
    from_server = "://" in settings.datasets[wildcards.dataset].source
    return (
        list_digest(Path(named), settings.ingest.key_file)
        if from_server and named
        else ""
    )


rule fetch:
    input:
        archive,
    output:
        f"{FETCHED}/{{dataset}}/SHA256SUMS",
    log:
        "logs/fetch/{dataset}.log",
    params:
        settings=lambda wildcards: jobs.fetch_job(settings, wildcards.dataset).to_json(),
        code=glue.code("cli.fetch"),
        source=lambda wildcards: settings.datasets[wildcards.dataset].source,
        studies=studies,
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal fetch --dataset {wildcards.dataset} --source {params.source:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"
