"""The parts of the sandbox: one module per server, all with the same life (:class:`sandbox.parts.part.Part`)."""
