"""AWS on one machine: what a pipeline needs to be run and tested before it is deployed."""

from __future__ import annotations
