"""What probes of networks say, made up."""

from dsn_saal.params.probe_jobs import cross_job
from dsn_saal.storage.atomic import write_json


def write_cam(path, experiment, **change):
    """What probe cam says of an experiment."""
    share = {"mean": 0.4, "interval": [0.3, 0.5], "slices": 30, "cases": 9, "blank_maps": 0, "even": 0.2}
    energy = dict.fromkeys(("covid19", "normal", "bacterial_pneumonia", "all"), share)
    steps = [{"layer": f"layer {number}", "mean": mean, "interval": [mean - 0.1, mean + 0.1], "undefined": 0, "of": 18}
             for number, mean in enumerate((0.62, 0.3, -0.05))]  # fmt: skip
    report = {
        "experiment": experiment, "missing_because": None, "grid": 14, "energy": energy,
        "run": {"run": 1, "because": "its training loss is the median of 3 runs", "weights_sha256": "0" * 64},
        "sanity": {"slices": 9, "draws": 2, "steps": steps},
    }  # fmt: skip
    write_json(path, report | change)
    return path


def write_cross(path, settings, experiment, origin="phantom", **change):
    """What probe cross says of an experiment: the further a data set stands in the params, the worse."""
    job = cross_job(settings, experiment)

    def metrics(area):
        names = ("auc", "balanced_accuracy", "sensitivity", "specificity")
        return {name: {"mean": area, "sd": 0.02, "values": [area]} for name in names} | {
            "balanced_accuracy_interval": [area - 0.1, area + 0.1]
        }

    tests = {
        name: {"title": test.title, "cut_out": test.cut_out, "own": name == job.own, "origin": origin, "slices": 30,
               "positives": 10, "cases": 12, "metrics": metrics(0.9 - 0.1 * place)}
        for place, (name, test) in enumerate(job.tests.items())
    }  # fmt: skip
    report = {"experiment": experiment, "title": job.title, "own": job.own, "positive": "covid19", "runs": [0, 1, 2],
              "of_runs": 3, "missing_because": None, "tests": tests}  # fmt: skip
    write_json(path, report | change)
    return path
