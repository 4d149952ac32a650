# DICOM from anywhere, or a public set's pictures, become one manifest: a row per slice, without identities.

INGESTED = ["manifest.parquet", "exclusions.csv", "series.csv", "flow.json"]


# An archive is unpacked below data/fetched/, which may hold identities: git ignores it, and no stage of DVC owns it. What
# comes from a server is fetched by hand: a workflow that asks a PACS would give what is there today.
rule fetch:
    input:
        lambda wildcards: settings.datasets[wildcards.dataset].source,
    output:
        f"{FETCHED}/{{dataset}}/SHA256SUMS",
    log:
        "logs/fetch/{dataset}.log",
    params:
        settings=lambda wildcards: image_jobs.fetch_job(
            settings, wildcards.dataset
        ).to_json(),
        code=glue.code("cli.fetch"),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal fetch --dataset {wildcards.dataset} --source {input:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule ingest:
    input:
        listing,
    output:
        expand("results/ingest/{{dataset}}/{file}", file=INGESTED),
    log:
        "logs/ingest/{dataset}.log",
    threads: workflow.cores
    params:
        settings=lambda wildcards: image_jobs.ingest_job(
            settings, wildcards.dataset
        ).to_json(),
        code=glue.code("cli.ingest"),
        outside=outside,
        # Phantoms may be links into DVC's cache; links in data from outside are not followed out of it.
        links=lambda wildcards: (
            "--follow-links" if settings.datasets[wildcards.dataset].is_phantom else ""
        ),
        source=source_of,
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal ingest --dataset {wildcards.dataset} --source {params.source:q} --out {params.out:q} {params.links} "
        "--workers {threads} --settings {params.settings:q} &> {log:q}"
