# What needs a trained network beyond its predictions: where it looks, what it does elsewhere, how it is built.

CAM_FILES = ["maps.npy", "slices.parquet", "cam.json"]
CAM = "results/probe/cam/{experiment}"
CROSS = "results/probe/cross/{experiment}.json"


rule cam:
    input:
        images=of_experiment("results/preprocess/{dataset}/images.npy"),
        masks=of_experiment("results/preprocess/{dataset}/masks.npy"),
        index=of_experiment("results/preprocess/{dataset}/index.parquet"),
        split=of_experiment(f"{SPLIT}.parquet"),
        weights="results/train/{experiment}/SHA256SUMS",
    output:
        expand("results/probe/cam/{{experiment}}/{file}", file=CAM_FILES),
    log:
        "logs/probe/cam_{experiment}.log",
    threads: settings.train.threads
    resources:
        gpu=1 if ON_GPU else 0,
    params:
        settings=lambda wildcards: probe_jobs.cam_job(
            settings, wildcards.experiment
        ).to_json(),
        code=glue.code("cli.probe"),
        dataset=lambda wildcards: settings.experiments[wildcards.experiment].dataset,
        images=subpath(input.images, parent=True),
        weights=subpath(input.weights, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal probe cam --experiment {wildcards.experiment} --images {params.dataset}={params.images:q} "
        "--split {params.dataset}={input.split:q} --weights {params.weights:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule cross:
    input:
        lambda wildcards: [
            f"results/preprocess/{name}/{file}"
            for name in probe_jobs.cross_splits(settings, wildcards.experiment)
            for file in ("images.npy", "index.parquet")
        ],
        splits=lambda wildcards: [
            f"{SPLIT.format(dataset=name, protocol=protocol)}.parquet"
            for name, protocol in probe_jobs.cross_splits(
                settings, wildcards.experiment
            ).items()
        ],
        weights="results/train/{experiment}/SHA256SUMS",
    output:
        CROSS,
    log:
        "logs/probe/cross_{experiment}.log",
    threads: settings.train.threads
    resources:
        gpu=1 if ON_GPU else 0,
    params:
        settings=lambda wildcards: probe_jobs.cross_job(
            settings, wildcards.experiment
        ).to_json(),
        code=glue.code("cli.probe"),
        tests=lambda wildcards: [
            word
            for name, protocol in probe_jobs.cross_splits(
                settings, wildcards.experiment
            ).items()
            for word in (
                "--images",
                f"{name}=results/preprocess/{name}",
                "--split",
                f"{name}={SPLIT.format(dataset=name, protocol=protocol)}.parquet",
            )
        ],
        weights=subpath(input.weights, parent=True),
    shell:
        "dsn-saal probe cross --experiment {wildcards.experiment} {params.tests:q} --weights {params.weights:q} "
        "--out {output:q} --settings {params.settings:q} &> {log:q}"


rule network:
    output:
        "results/probe/network.json",
    log:
        "logs/probe/network.log",
    params:
        settings=lambda wildcards: probe_jobs.network_job(settings).to_json(),
        code=glue.code("cli.probe"),
    shell:
        "dsn-saal probe network --out {output:q} --settings {params.settings:q} &> {log:q}"
