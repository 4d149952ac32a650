# The reports, printed and on a screen: tables, figures and files of numbers become pages.

# Files of numbers that the report on a screen shows besides tables and figures: name to path.
FINDINGS = {
    "verdicts": "results/audit/verdicts.json",
    "forensics": "results/audit/forensics.json",
    "comparisons": "results/analyse/comparisons.json",
}


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
        expand("results/probe/cam/{experiment}/cam.json", experiment=settings.probe.cam),
        expand(CROSS, experiment=settings.probe.cross),
        flow=f"results/ingest/{settings.report.dataset}/flow.json",
        mask_quality=f"{SHOWN_PREPROCESSED}/mask_quality.json",
        index=f"{SHOWN_PREPROCESSED}/index.parquet",
        certificate=f"{SHOWN_SPLIT}.certificate.json",
    output:
        report(
            "results/report/paper.pdf",
            caption="../report/paper.rst",
            category="The paper",
            labels={"item": "The paper, printed"},
        ),
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
        cams=named("--cam", f"{CAM}/cam.json", settings.probe.cam),
        crosses=named("--cross", CROSS, settings.probe.cross),
        analyses=[
            word
            for name in analyse_jobs.ANALYSES
            for word in ("--analysis", f"{name}={ANALYSIS.format(analysis=name)}")
        ],
    shell:
        "dsn-saal report {params.tables:q} {params.figures:q} {params.summaries:q} {params.training:q} "
        "{params.cams:q} {params.crosses:q} {params.analyses:q} "
        "--flow {input.flow:q} --mask-quality {input.mask_quality:q} --index {input.index:q} "
        "--certificate {input.certificate:q} --out {output:q} --settings {params.settings:q} &> {log:q}"


# The report that is read on a screen: the same tables and figures, and what stands behind each number.
rule html:
    input:
        expand("results/tables/{table}.json", table=TABLES),
        expand("results/figures/{figure}.svg", figure=FIGURES),
        made("results/evaluate"),
        expand(
            "results/ingest/{dataset}/{file}",
            dataset=settings.datasets,
            file=["flow.json", "exclusions.csv"],
        ),
        expand(
            "results/preprocess/{dataset}/{file}",
            dataset=settings.datasets,
            file=["mask_quality.json", "index.parquet"],
        ),
        [
            f"results/split/{name}/{protocol}.certificate.json"
            for name, protocol in SPLITS
        ],
        FINDINGS.values(),
    output:
        report(
            "results/report/report.html",
            caption="../report/html.rst",
            category="The paper",
            labels={"item": "The report that is read on a screen"},
        ),
    log:
        "logs/report/html.log",
    params:
        settings=lambda wildcards: html_job.html_job(settings).to_json(),
        code=glue.code("cli.html"),
        words=[
            *options("--table", "results/tables/{}.json", TABLES),
            *options("--figure", "results/figures/{}.svg", FIGURES),
            *options("--evaluated", "results/evaluate/{}", settings.experiments),
            *options("--ingested", "results/ingest/{}", settings.datasets),
            *options("--preprocessed", "results/preprocess/{}", settings.datasets),
            *options(
                "--proof",
                "results/split/{}.certificate.json",
                ["/".join(split) for split in SPLITS],
            ),
        ],
        findings=[
            word
            for name, path in FINDINGS.items()
            for word in ("--finding", f"{name}={path}")
        ],
    shell:
        "dsn-saal html {params.words:q} {params.findings:q} --out {output:q} --settings {params.settings:q} &> {log:q}"
