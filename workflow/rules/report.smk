# Tables, figures and the printed paper: files of numbers become layout.

TABLE_KINDS = ["csv", "tex", "md", "json"]
FIGURE_KINDS = ["svg", "png"]
FLOW = "results/ingest/{dataset}/flow.json"
MASK_QUALITY = "results/preprocess/{dataset}/mask_quality.json"
SHOWN_PREPROCESSED = f"results/preprocess/{settings.report.dataset}"
SHOWN_SPLIT = SPLIT.format(
    dataset=settings.report.dataset, protocol=settings.report.protocol
)

TRAINED = "results/train/{experiment}"
IN_TABLE6 = [name for names in settings.report.table6.values() for name in names]


rule table2:
    input:
        index=f"{SHOWN_PREPROCESSED}/index.parquet",
        split=f"{SHOWN_SPLIT}.parquet",
        certificate=f"{SHOWN_SPLIT}.certificate.json",
    output:
        table("table2"),
    log:
        "logs/tables/table2.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(settings, "table2").to_json(),
        code=glue.code("cli.table"),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table table2 --index {input.index:q} --split {input.split:q} --certificate {input.certificate:q} "
        "--out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule experiments_table:
    input:
        lambda wildcards: expand(
            SUMMARY, experiment=settings.report.lists[wildcards.table]
        ),
    output:
        table("{table}"),
    log:
        "logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(paper_jobs.RESULT_TABLES),
    params:
        settings=lambda wildcards: paper_jobs.table_job(
            settings, wildcards.table
        ).to_json(),
        code=glue.code("cli.table"),
        summaries=lambda wildcards: named(
            "--summary", SUMMARY, settings.report.lists[wildcards.table]
        ),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table {wildcards.table} {params.summaries:q} --out {params.out:q} --settings {params.settings:q} "
        "&> {log:q}"


rule table6:
    input:
        expand(SUMMARY, experiment=IN_TABLE6),
    output:
        table("table6"),
    log:
        "logs/tables/table6.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(settings, "table6").to_json(),
        code=glue.code("cli.table"),
        summaries=named("--summary", SUMMARY, IN_TABLE6),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table table6 {params.summaries:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule saal_ablation:
    input:
        expand(SUMMARY, experiment=settings.report.saal_ablation),
        expand(
            "results/train/{experiment}/SHA256SUMS",
            experiment=settings.report.saal_ablation,
        ),
    output:
        table("saal_ablation"),
    log:
        "logs/tables/saal_ablation.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(
            settings, "saal_ablation"
        ).to_json(),
        code=glue.code("cli.table"),
        summaries=named("--summary", SUMMARY, settings.report.saal_ablation),
        training=named("--training", TRAINED, settings.report.saal_ablation),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table saal_ablation {params.summaries:q} {params.training:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule switchboard:
    output:
        table("switchboard"),
    log:
        "logs/tables/switchboard.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(
            settings, "switchboard"
        ).to_json(),
        code=glue.code("cli.table"),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table switchboard --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule datasets:
    input:
        flows=expand(FLOW, dataset=settings.datasets),
        mask_qualities=expand(MASK_QUALITY, dataset=settings.datasets),
    output:
        table("datasets"),
    log:
        "logs/tables/datasets.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(settings, "datasets").to_json(),
        code=glue.code("cli.table"),
        flows=by_dataset("--flow", FLOW),
        mask_qualities=by_dataset("--mask-quality", MASK_QUALITY),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table datasets {params.flows:q} {params.mask_qualities:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule certificates:
    input:
        flows=expand(FLOW, dataset=settings.datasets),
        certificates=[
            f"{SPLIT.format(dataset=name, protocol=protocol)}.certificate.json"
            for name, protocol in SPLITS
        ],
    output:
        table("certificates"),
    log:
        "logs/tables/certificates.log",
    params:
        settings=lambda wildcards: paper_jobs.table_job(
            settings, "certificates"
        ).to_json(),
        code=glue.code("cli.table"),
        flows=by_dataset("--flow", FLOW),
        proofs=[
            word
            for name, protocol in SPLITS
            for word in (
                "--proof",
                f"{name}/{protocol}={SPLIT.format(dataset=name, protocol=protocol)}.certificate.json",
            )
        ],
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table certificates {params.flows:q} {params.proofs:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule contact_sheet:
    input:
        expand(
            "results/preprocess/{{dataset}}/{file}",
            file=["images.npy", "masks.npy", "index.parquet"],
        ),
    output:
        figure("contact_sheet_{dataset}"),
    log:
        "logs/figures/contact_sheet_{dataset}.log",
    params:
        settings=lambda wildcards: paper_jobs.contact_sheet_job(
            settings, wildcards.dataset
        ).to_json(),
        code=glue.code("cli.figure"),
        images=subpath(input[0], parent=True),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure contact_sheet --dataset {wildcards.dataset} --images {params.images:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule figure3:
    input:
        expand(
            f"{SHOWN_PREPROCESSED}/{{file}}",
            file=["images.npy", "masks.npy", "index.parquet"],
        ),
    output:
        figure("figure3"),
    log:
        "logs/figures/figure3.log",
    params:
        settings=lambda wildcards: paper_jobs.figure_job(settings, "figure3").to_json(),
        code=glue.code("cli.figure"),
        images=subpath(input[0], parent=True),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure3 --images {params.images:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule figure4:
    input:
        expand(
            "results/evaluate/{experiment}/{run}/predictions.parquet",
            experiment=settings.report.figure4,
            run=RUNS,
        ),
    output:
        figure("figure4"),
    log:
        "logs/figures/figure4.log",
    params:
        settings=lambda wildcards: paper_jobs.figure_job(settings, "figure4").to_json(),
        code=glue.code("cli.figure"),
        predictions=named(
            "--predictions", "results/evaluate/{experiment}", settings.report.figure4
        ),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure4 {params.predictions:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule saal_trajectories:
    input:
        expand(SUMMARY, experiment=settings.report.saal_ablation),
        expand(
            "results/train/{experiment}/SHA256SUMS",
            experiment=settings.report.saal_ablation,
        ),
    output:
        figure("saal_trajectories"),
    log:
        "logs/figures/saal_trajectories.log",
    params:
        settings=lambda wildcards: paper_jobs.figure_job(
            settings, "saal_trajectories"
        ).to_json(),
        code=glue.code("cli.figure"),
        summaries=named("--summary", SUMMARY, settings.report.saal_ablation),
        training=named("--training", TRAINED, settings.report.saal_ablation),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure saal_trajectories {params.summaries:q} {params.training:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule report:
    input:
        expand("results/tables/{table}.json", table=TABLES),
        expand("results/figures/{figure}.svg", figure=FIGURES),
        expand(SUMMARY, experiment=SHOWN),
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
        settings=lambda wildcards: paper_jobs.report_job(settings).to_json(),
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
    shell:
        "dsn-saal report {params.tables:q} {params.figures:q} {params.summaries:q} {params.training:q} "
        "--flow {input.flow:q} --mask-quality {input.mask_quality:q} --index {input.index:q} "
        "--certificate {input.certificate:q} --out {output:q} --settings {params.settings:q} &> {log:q}"
