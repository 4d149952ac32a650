# Predictions of the test part and their metrics, for every run; then the primary metrics of all in one file.

EVALUATED = ["predictions.parquet", "metrics.json"]
FITTED = "train_predictions.parquet"
SUMMARY = "results/evaluate/{experiment}/summary.json"


rule evaluate:
    input:
        images=of_experiment("results/preprocess/{dataset}/{pixels}"),
        index=of_experiment("results/preprocess/{dataset}/index.parquet"),
        split=of_experiment(f"{SPLIT}.parquet"),
        weights="results/train/{experiment}/SHA256SUMS",
    output:
        SUMMARY,
        expand(
            "results/evaluate/{{experiment}}/{run}/{file}",
            run=RUNS,
            file=EVALUATED,
        ),
    log:
        "logs/evaluate/{experiment}.log",
    wildcard_constraints:
        experiment="|".join(
            name for name in settings.experiments if name not in ON_FOLDS
        )
        or "(?!)",
    threads: settings.train.threads
    resources:
        gpu=1 if ON_GPU else 0,
    params:
        settings=lambda wildcards: jobs.evaluate_job(
            settings, wildcards.experiment
        ).to_json(),
        code=glue.code("cli.evaluate"),
        images=subpath(input.images, parent=True),
        weights=subpath(input.weights, parent=True),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal evaluate --experiment {wildcards.experiment} --images {params.images:q} --split {input.split:q} "
        "--weights {params.weights:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


# Answers for the training part, of the experiments that are looked at closely: a temperature is fitted on them.
rule predict:
    input:
        images=of_experiment("results/preprocess/{dataset}/images.npy"),
        index=of_experiment("results/preprocess/{dataset}/index.parquet"),
        split=of_experiment(f"{SPLIT}.parquet"),
        weights="results/train/{experiment}/SHA256SUMS",
    output:
        expand("results/evaluate/{{experiment}}/{run}/{file}", run=RUNS, file=FITTED),
    log:
        "logs/predict/{experiment}.log",
    threads: settings.train.threads
    resources:
        gpu=1 if ON_GPU else 0,
    params:
        settings=lambda wildcards: jobs.predict_job(
            settings, wildcards.experiment
        ).to_json(),
        code=glue.code("cli.predict"),
        images=subpath(input.images, parent=True),
        weights=subpath(input.weights, parent=True),
        out=subpath(output[0], ancestor=2),
    shell:
        "dsn-saal predict --experiment {wildcards.experiment} --images {params.images:q} --split {input.split:q} "
        "--weights {params.weights:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


# On folds the protocol says how many runs there are; a law of the params makes it one number for all of them.
use rule evaluate as evaluate_folds with:
    output:
        SUMMARY,
        expand(
            "results/evaluate/{{experiment}}/{run}/{file}",
            run=run_names(max(map(settings.runs_of, ON_FOLDS), default=1)),
            file=EVALUATED,
        ),
    wildcard_constraints:
        experiment="|".join(ON_FOLDS) or "(?!)",


rule metrics:
    input:
        expand(SUMMARY, experiment=settings.experiments),
    output:
        "results/metrics.json",
    log:
        "logs/metrics.log",
    params:
        summaries=named("--summary", SUMMARY, settings.experiments),
        code=glue.code("cli.metrics"),
    shell:
        "dsn-saal metrics {params.summaries:q} --out {output:q} &> {log:q}"
