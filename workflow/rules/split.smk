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
        settings=lambda wildcards: image_jobs.split_job(
            settings, wildcards.dataset, wildcards.protocol
        ).to_json(),
        code=glue.code("cli.split"),
        images=subpath(input.grids, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal split --dataset {wildcards.dataset} --protocol {wildcards.protocol} --index {input.index:q} "
        "--images {params.images:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


# Slices that are learned from without labels must not be those that a split tests on.
rule certify:
    input:
        split=f"{SPLIT}.parquet",
        index="results/preprocess/{dataset}/index.parquet",
        images="results/preprocess/{dataset}/images.npy",
        grids="results/preprocess/{dataset}/grids.npy",
        unlabelled_index="results/preprocess/{unlabelled}/index.parquet",
        unlabelled_images="results/preprocess/{unlabelled}/images.npy",
        unlabelled_grids="results/preprocess/{unlabelled}/grids.npy",
    output:
        UNLABELLED,
    log:
        "logs/split/{dataset}.{protocol}.unlabelled.{unlabelled}.log",
    params:
        settings=lambda wildcards: image_jobs.certify_job(
            settings, wildcards.dataset, wildcards.unlabelled
        ).to_json(),
        code=glue.code("cli.certify"),
        images=subpath(input.images, parent=True),
        unlabelled_images=subpath(input.unlabelled_images, parent=True),
    shell:
        "dsn-saal certify --dataset {wildcards.dataset} --unlabelled {wildcards.unlabelled} "
        "--images {params.images:q} --unlabelled-images {params.unlabelled_images:q} --split {input.split:q} "
        "--out {output:q} --settings {params.settings:q} &> {log:q}"
