# Phantoms that stand in for data sets which are not here, each in its set's own layout, with one listing for all files.


rule phantom:
    output:
        f"{PHANTOM}/{{dataset}}/SHA256SUMS",
    log:
        "logs/phantom/{dataset}.log",
    threads: workflow.cores
    params:
        settings=lambda wildcards: image_jobs.phantom_job(
            settings, wildcards.dataset
        ).to_json(),
        code=glue.code("cli.phantom"),
        out=subpath(output[0], parent=True),
    shell:
        "dsn-saal phantom --dataset {wildcards.dataset} --out {params.out:q} --settings {params.settings:q} &> {log:q}"
