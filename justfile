# Long runs for maintainers: what `cargo test` takes a small part of. They read real data where
# IOCAST_REAL_DATA names its folder.

# Everything that follows, one after the other.
soak: soak-data soak-faults soak-engine soak-outage

# All real IOCs and bundles through `iocast load`, and all of them through the validators.
soak-data:
    IOCAST_SOAK=1 cargo test -p tests --test blackbox -- real_data:: export_python::

# Every fault of every call of every function (an hour or more).
soak-faults:
    IOCAST_FAULTS=1 cargo test -p tests --test blackbox -- faults::

# Tests of every surface on a second DynamoDB engine.
soak-engine:
    IOCAST_SOAK=1 cargo test -p tests --test blackbox -- second_engine::

# Outages of six minutes.
soak-outage:
    cargo test -p tests --test blackbox -- --ignored outage::
