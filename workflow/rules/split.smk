# Cases, never slices, are dealt out; the certificate proves it and training demands it.

SPLIT_KINDS = ["parquet", "certificate.json"]


rule split:
    input:
        index="results/preprocess/{dataset}/index.parquet",
    output:
        multiext(SPLIT, *(f".{kind}" for kind in SPLIT_KINDS)),
    log:
        "logs/split/{dataset}.log",
    params:
        settings=lambda wildcards: jobs.split_job(settings, wildcards.dataset).to_json(),
        code=glue.code("cli.split"),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal split --dataset {wildcards.dataset} --index {input.index:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"
