# Long runs for maintainers, of which `cargo test` runs a part. IOCAST_REAL_DATA may name a folder of
# real feeds.

# Runs all of the following, one after the other.
soak: soak-data soak-faults soak-engine soak-outage

# Loads all real IOCs and bundles, and validates every exported indicator.
soak-data:
    IOCAST_SOAK=1 cargo test --workspace --test blackbox -- real_data:: export_python::

# Injects every fault into every call of every function.
soak-faults:
    IOCAST_FAULTS=1 cargo test --workspace --test blackbox -- faults::

# Runs the tests of every surface on a second DynamoDB engine.
soak-engine:
    IOCAST_SOAK=1 cargo test --workspace --test blackbox -- second_engine::

# Survives outages of six minutes.
soak-outage:
    cargo test --workspace --test blackbox -- --ignored outage::
