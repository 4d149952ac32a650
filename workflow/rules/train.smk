# One job trains all runs of one experiment and resumes each by itself after an interruption.


rule train:
    input:
        images=of_experiment("results/preprocess/{dataset}/{pixels}"),
        index=of_experiment("results/preprocess/{dataset}/index.parquet"),
        split=of_experiment(f"{SPLIT}.parquet"),
        certificate=of_experiment(f"{SPLIT}.certificate.json"),
        unlabelled=lambda wildcards: [
            f"results/preprocess/{name}/images.npy"
            for name in image_jobs.unlabelled_of(settings, wildcards.experiment)
        ],
        unlabelled_certificates=lambda wildcards: [
            of_experiment(UNLABELLED, unlabelled=name)(wildcards)
            for name in image_jobs.unlabelled_of(settings, wildcards.experiment)
        ],
    output:
        "results/train/{experiment}/SHA256SUMS",
    log:
        "logs/train/{experiment}.log",
    threads: settings.train.threads
    resources:
        gpu=1 if ON_GPU else 0,
    params:
        settings=lambda wildcards: jobs.train_job(
            settings, wildcards.experiment
        ).to_json(),
        code=glue.code("cli.train"),
        images=subpath(input.images, parent=True),
        out=subpath(output[0], parent=True),
        unlabelled=unlabelled_words,
    shell:
        "dsn-saal train --experiment {wildcards.experiment} --images {params.images:q} --split {input.split:q} "
        "--certificate {input.certificate:q} {params.unlabelled:q} --out {params.out:q} --state .dsn_saal/train/{wildcards.experiment} "
        "--code {params.code} --settings {params.settings:q} 2>&1 | tee {log:q}"
