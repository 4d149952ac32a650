# What no job makes any more (an experiment or a run that params no longer name) is removed; the rest is listed.
rule manifest:
    input:
        lambda wildcards: made(wildcards.folder),
    output:
        "{folder}/MANIFEST",
    log:
        "logs/manifest/{folder}.log",
    params:
        code=glue.code("provenance.belongings"),
    shell:
        "dsn-saal provenance tidy --manifest {output:q} {input:q} &> {log:q}"
