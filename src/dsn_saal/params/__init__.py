"""params.yaml as strict, frozen models: the value stands in the file, its law here, its use in the functions."""

from dsn_saal.params.open_choices import SwitchboardRow, switchboard
from dsn_saal.params.reading import read_settings, resolve
from dsn_saal.params.root import Settings

__all__ = ["Settings", "SwitchboardRow", "read_settings", "resolve", "switchboard"]
