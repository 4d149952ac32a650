# How sure the numbers are: stored predictions become small files of numbers, which tables, figures and the report read.

ANALYSIS = "results/analyse/{analysis}.json"


rule analyse:
    input:
        analysed_predictions,
        index=lambda wildcards: (
            f"{SHOWN_PREPROCESSED}/index.parquet"
            if wildcards.analysis == "positions"
            else []
        ),
    output:
        ANALYSIS,
    log:
        "logs/analyse/{analysis}.log",
    wildcard_constraints:
        analysis="|".join(analyse_jobs.ANALYSES),
    params:
        settings=lambda wildcards: analyse_jobs.analyse_job(
            settings, wildcards.analysis
        ).to_json(),
        code=glue.code("cli.analyse"),
        predictions=lambda wildcards: named(
            "--predictions", "results/evaluate/{experiment}", analysed(wildcards)
        ),
        index=lambda wildcards: (
            ["--index", f"{SHOWN_PREPROCESSED}/index.parquet"]
            if wildcards.analysis == "positions"
            else []
        ),
    shell:
        "dsn-saal analyse {wildcards.analysis} {params.predictions:q} {params.index:q} --out {output:q} "
        "--settings {params.settings:q} &> {log:q}"
