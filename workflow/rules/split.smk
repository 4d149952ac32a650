# Cases, never slices, are dealt out where cases are known; the certificate proves what can be proven, and training
# demands it.

SPLIT_KINDS = ["parquet", "certificate.json"]


rule split:
    input:
        index="results/preprocess/{dataset}/index.parquet",
        grids="results/preprocess/{dataset}/grids.npy",
    output:
        multiext(SPLIT, *(f".{kind}" for kind in SPLIT_KINDS)),
    log:
        "logs/split/{dataset}.{protocol}.log",
    params:
        settings=lambda wildcards: jobs.split_job(
            settings, wildcards.dataset, wildcards.protocol
        ).to_json(),
        code=glue.code("cli.split"),
        images=subpath(input.grids, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal split --dataset {wildcards.dataset} --protocol {wildcards.protocol} --index {input.index:q} "
        "--images {params.images:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"
