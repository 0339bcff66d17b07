"""How types are checked while the tests run: as beartype does, and a whole number may stand for a float."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
