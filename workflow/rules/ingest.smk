# DICOM from anywhere, or a public set's pictures, become one manifest: a row per slice, without identities.

INGESTED = ["manifest.parquet", "exclusions.csv", "series.csv", "flow.json"]


rule ingest:
    input:
        listing,
    output:
        expand("results/ingest/{{dataset}}/{file}", file=INGESTED),
    log:
        "logs/ingest/{dataset}.log",
    threads: workflow.cores
    params:
        settings=lambda wildcards: jobs.ingest_job(
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
