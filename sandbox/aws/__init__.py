"""The AWS services beside Data Pipeline: moto's server, with a state that survives a restart."""
