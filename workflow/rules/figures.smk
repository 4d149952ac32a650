# Figures: files of numbers and of pixels become drawings, as svg and png.

FIGURE_KINDS = ["svg", "png"]


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
        settings=lambda wildcards: figure_jobs.contact_sheet_job(
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
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure3").to_json(),
        code=glue.code("cli.figure"),
        images=subpath(input[0], parent=True),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure3 --images {params.images:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule figure4:
    input:
        expand("results/evaluate/{file}", file=predictions_of(settings.report.figure4)),
    output:
        figure("figure4"),
    log:
        "logs/figures/figure4.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure4").to_json(),
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
        settings=lambda wildcards: figure_jobs.figure_job(
            settings, "saal_trajectories"
        ).to_json(),
        code=glue.code("cli.figure"),
        summaries=named("--summary", SUMMARY, settings.report.saal_ablation),
        training=named("--training", TRAINED, settings.report.saal_ablation),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure saal_trajectories {params.summaries:q} {params.training:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


# Drawn from the rules as they are parsed: the figure follows when the graph changes.
rule figure1:
    output:
        figure("figure1"),
    log:
        "logs/figures/figure1.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure1").to_json(),
        code=glue.code("cli.figure"),
        graph=lambda wildcards: rule_graph(workflow),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure1 --graph {params.graph:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule figure2:
    input:
        "results/probe/network.json",
    output:
        figure("figure2"),
    log:
        "logs/figures/figure2.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure2").to_json(),
        code=glue.code("cli.figure"),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure2 --network {input:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule figure5:
    input:
        expand(
            "results/evaluate/{experiment}/{run}/predictions.parquet",
            experiment=IN_TABLE6,
            run=RUNS,
        ),
    output:
        figure("figure5"),
    log:
        "logs/figures/figure5.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure5").to_json(),
        code=glue.code("cli.figure"),
        predictions=named("--predictions", "results/evaluate/{experiment}", IN_TABLE6),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure5 {params.predictions:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule diagnoses:
    input:
        expand(
            f"{SHOWN_PREPROCESSED}/{{file}}",
            file=["images.npy", "masks.npy", "index.parquet"],
        ),
        expand(
            "results/evaluate/{experiment}/{run}/predictions.parquet",
            experiment=settings.report.figure6,
            run=RUNS,
        ),
    output:
        figure("{diagnoses}"),
    log:
        "logs/figures/{diagnoses}.log",
    wildcard_constraints:
        diagnoses="figure6|failures",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(
            settings, wildcards.diagnoses
        ).to_json(),
        code=glue.code("cli.figure"),
        images=subpath(input[0], parent=True),
        predictions=named(
            "--predictions", "results/evaluate/{experiment}", [settings.report.figure6]
        ),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure {wildcards.diagnoses} --images {params.images:q} {params.predictions:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule figure7:
    input:
        expand(
            f"{SHOWN_PREPROCESSED}/{{file}}",
            file=["images.npy", "masks.npy", "index.parquet"],
        ),
        expand(
            "results/probe/cam/{experiment}/{file}",
            experiment=settings.probe.cam,
            file=CAM_FILES,
        ),
    output:
        figure("figure7"),
    log:
        "logs/figures/figure7.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "figure7").to_json(),
        code=glue.code("cli.figure"),
        images=subpath(input[0], parent=True),
        cams=named("--cam", CAM, settings.probe.cam),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure figure7 --images {params.images:q} {params.cams:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule margins:
    input:
        VERDICTS,
    output:
        figure("margins"),
    log:
        "logs/figures/margins.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(settings, "margins").to_json(),
        code=glue.code("cli.figure"),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure margins --verdicts {input:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule analysis_figure:
    input:
        analysis=lambda wildcards: ANALYSIS.format(
            analysis=figure_jobs.ANALYSIS_FIGURES[wildcards.figure]
        ),
    output:
        figure("{figure}"),
    log:
        "logs/figures/{figure}.log",
    wildcard_constraints:
        figure="|".join(figure_jobs.ANALYSIS_FIGURES),
    params:
        settings=lambda wildcards: figure_jobs.figure_job(
            settings, wildcards.figure
        ).to_json(),
        code=glue.code("cli.figure"),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure {wildcards.figure} --analysis {input.analysis:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule training_curves:
    input:
        expand(SUMMARY, experiment=settings.report.table3),
        expand(
            "results/train/{experiment}/SHA256SUMS", experiment=settings.report.table3
        ),
    output:
        figure("training_curves"),
    log:
        "logs/figures/training_curves.log",
    params:
        settings=lambda wildcards: figure_jobs.figure_job(
            settings, "training_curves"
        ).to_json(),
        code=glue.code("cli.figure"),
        summaries=named("--summary", SUMMARY, settings.report.table3),
        training=named("--training", TRAINED, settings.report.table3),
        out=subpath(output[0], strip_suffix=".svg"),
    shell:
        "dsn-saal figure training_curves {params.summaries:q} {params.training:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"
