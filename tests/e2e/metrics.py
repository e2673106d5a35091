"""What /metrics says, read by Prometheus's own parser."""

from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    def __init__(self, text):
        self.text = text
        self.families = {}
        for family in text_string_to_metric_families(text):
            assert family.name not in self.families, f"{family.name} is there twice"
            self.families[family.name] = family
        self.samples = {}
        for family in self.families.values():
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} is there twice"
                self.samples[key] = sample.value

    def value(self, name, **labels):
        """0 for a sample that is not there: routes and statuses begin with their first answer."""
        return self.samples.get((name, frozenset(labels.items())), 0)

    def names(self):
        return {name for name, _ in self.samples}

    def labels(self, name, label):
        return {dict(labels)[label] for sample, labels in self.samples if sample == name}


def metrics_of(server, port=None):
    return Metrics(server.metrics_text(port))
