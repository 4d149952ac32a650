# The printed paper: tables, figures and files of numbers become pages.


rule report:
    input:
        expand("results/tables/{table}.json", table=TABLES),
        expand("results/figures/{figure}.svg", figure=FIGURES),
        expand(SUMMARY, experiment=SHOWN),
        expand(ANALYSIS, analysis=analyse_jobs.ANALYSES),
        expand(
            "results/train/{experiment}/SHA256SUMS",
            experiment=settings.report.saal_ablation,
        ),
        flow=f"results/ingest/{settings.report.dataset}/flow.json",
        mask_quality=f"{SHOWN_PREPROCESSED}/mask_quality.json",
        index=f"{SHOWN_PREPROCESSED}/index.parquet",
        certificate=f"{SHOWN_SPLIT}.certificate.json",
    output:
        "results/report/paper.pdf",
    log:
        "logs/report/paper.log",
    params:
        settings=lambda wildcards: report_job.report_job(settings).to_json(),
        code=glue.code("cli.report"),
        tables=[
            word
            for name in TABLES
            for word in ("--table", f"{name}=results/tables/{name}.json")
        ],
        figures=[
            word
            for name in FIGURES
            for word in ("--figure", f"{name}=results/figures/{name}.svg")
        ],
        summaries=named("--summary", SUMMARY, SHOWN),
        training=named("--training", TRAINED, settings.report.saal_ablation),
        analyses=[
            word
            for name in analyse_jobs.ANALYSES
            for word in ("--analysis", f"{name}={ANALYSIS.format(analysis=name)}")
        ],
    shell:
        "dsn-saal report {params.tables:q} {params.figures:q} {params.summaries:q} {params.training:q} {params.analyses:q} "
        "--flow {input.flow:q} --mask-quality {input.mask_quality:q} --index {input.index:q} "
        "--certificate {input.certificate:q} --out {output:q} --settings {params.settings:q} &> {log:q}"
