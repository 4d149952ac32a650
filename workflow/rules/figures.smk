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
