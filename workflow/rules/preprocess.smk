# Window, lungs, resize: slices become images, what surrounds their lungs, packed masks, grids and an index with quality flags.

PREPROCESSED = [
    "images.npy",
    "surroundings.npy",
    "masks.npy",
    "grids.npy",
    "index.parquet",
    "mask_quality.json",
]


rule preprocess:
    input:
        listing,
        manifest="results/ingest/{dataset}/manifest.parquet",
    output:
        expand("results/preprocess/{{dataset}}/{file}", file=PREPROCESSED),
    log:
        "logs/preprocess/{dataset}.log",
    threads: workflow.cores
    params:
        settings=lambda wildcards: image_jobs.preprocess_job(
            settings, wildcards.dataset
        ).to_json(),
        code=glue.code("cli.preprocess"),
        source=source_of,
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal preprocess --source {params.source:q} --manifest {input.manifest:q} --out {params.out:q} "
        "--workers {threads} --settings {params.settings:q} &> {log:q}"
