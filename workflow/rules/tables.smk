# Tables: files of numbers become rows of text, as csv, LaTeX, Markdown and JSON.

TABLE_KINDS = ["csv", "tex", "md", "json"]
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
        settings=lambda wildcards: table_jobs.table_job(settings, "table2").to_json(),
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
        table="|".join(table_jobs.RESULT_TABLES),
    params:
        settings=lambda wildcards: table_jobs.table_job(
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
        settings=lambda wildcards: table_jobs.table_job(settings, "table6").to_json(),
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
        settings=lambda wildcards: table_jobs.table_job(
            settings, "saal_ablation"
        ).to_json(),
        code=glue.code("cli.table"),
        summaries=named("--summary", SUMMARY, settings.report.saal_ablation),
        training=named("--training", TRAINED, settings.report.saal_ablation),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table saal_ablation {params.summaries:q} {params.training:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule audit_table:
    input:
        "results/audit/{table}.json",
    output:
        table("{table}"),
    log:
        "logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(table_jobs.AUDIT_TABLES),
    params:
        settings=lambda wildcards: table_jobs.table_job(
            settings, wildcards.table
        ).to_json(),
        code=glue.code("cli.table"),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table {wildcards.table} --audit {input:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule switchboard:
    output:
        table("switchboard"),
    log:
        "logs/tables/switchboard.log",
    params:
        settings=lambda wildcards: table_jobs.table_job(
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
        settings=lambda wildcards: table_jobs.table_job(settings, "datasets").to_json(),
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
        settings=lambda wildcards: table_jobs.table_job(
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


rule cross_table:
    input:
        expand(CROSS, experiment=settings.probe.cross),
    output:
        table("cross"),
    log:
        "logs/tables/cross.log",
    params:
        settings=lambda wildcards: table_jobs.table_job(settings, "cross").to_json(),
        code=glue.code("cli.table"),
        probes=named("--probe", CROSS, settings.probe.cross),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table cross {params.probes:q} --out {params.out:q} --settings {params.settings:q} &> {log:q}"


rule analysis_table:
    input:
        analysis="results/analyse/{table}.json",
    output:
        table("{table}"),
    log:
        "logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(table_jobs.ANALYSIS_TABLES),
    params:
        settings=lambda wildcards: table_jobs.table_job(
            settings, wildcards.table
        ).to_json(),
        code=glue.code("cli.table"),
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table {wildcards.table} --analysis {input.analysis:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule table1:
    input:
        reported=settings.report.reported,
        flows=expand(FLOW, dataset=settings.datasets),
        certificates=[
            f"{SPLIT.format(dataset=name, protocol=dataset.protocols[0])}.certificate.json"
            for name, dataset in settings.datasets.items()
        ],
    output:
        table("table1"),
    log:
        "logs/tables/table1.log",
    params:
        settings=lambda wildcards: table_jobs.table_job(settings, "table1").to_json(),
        code=glue.code("cli.table"),
        flows=by_dataset("--flow", FLOW),
        proofs=[
            word
            for name, dataset in settings.datasets.items()
            for word in (
                "--proof",
                f"{name}/{dataset.protocols[0]}={SPLIT.format(dataset=name, protocol=dataset.protocols[0])}.certificate.json",
            )
        ],
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table table1 --reported {input.reported:q} {params.flows:q} {params.proofs:q} --out {params.out:q} "
        "--settings {params.settings:q} &> {log:q}"


rule public_table:
    input:
        lambda wildcards: expand(
            SUMMARY, experiment=settings.report.public_tables[wildcards.table]
        ),
        lambda wildcards: [
            f"{split}.certificate.json" for split in splits_shown(wildcards).values()
        ],
        reported=settings.report.reported,
    output:
        table("{table}"),
    log:
        "logs/tables/{table}.log",
    wildcard_constraints:
        table="|".join(public_table_jobs.PUBLIC_TABLES),
    params:
        settings=lambda wildcards: table_jobs.table_job(
            settings, wildcards.table
        ).to_json(),
        code=glue.code("cli.table"),
        summaries=lambda wildcards: named(
            "--summary", SUMMARY, settings.report.public_tables[wildcards.table]
        ),
        proofs=lambda wildcards: [
            word
            for protocol, split in splits_shown(wildcards).items()
            for word in ("--proof", f"{protocol}={split}.certificate.json")
        ],
        out=subpath(output[0], strip_suffix=".csv"),
    shell:
        "dsn-saal table {wildcards.table} --reported {input.reported:q} {params.summaries:q} {params.proofs:q} "
        "--out {params.out:q} --settings {params.settings:q} &> {log:q}"
