# What the reported numbers say of themselves, and what was measured beside them.

FORENSICS = "results/audit/forensics.json"
VERDICTS = "results/audit/verdicts.json"
COMPARED = audit_jobs.compared_experiments(settings.audit)


rule forensics:
    input:
        settings.report.reported,
    output:
        FORENSICS,
    log:
        "logs/audit/forensics.log",
    params:
        settings=lambda wildcards: audit_jobs.forensics_job(settings).to_json(),
        code=glue.code("cli.forensics"),
    shell:
        "dsn-saal forensics --out {output:q} --settings {params.settings:q} &> {log:q}"


rule verdicts:
    input:
        settings.report.reported,
        expand(SUMMARY, experiment=COMPARED),
        forensics=FORENSICS,
    output:
        VERDICTS,
    log:
        "logs/audit/verdicts.log",
    params:
        settings=lambda wildcards: audit_jobs.verdicts_job(settings).to_json(),
        code=glue.code("cli.verdicts"),
        summaries=named("--summary", SUMMARY, COMPARED),
    shell:
        "dsn-saal verdicts --forensics {input.forensics:q} {params.summaries:q} --out {output:q} "
        "--settings {params.settings:q} &> {log:q}"
