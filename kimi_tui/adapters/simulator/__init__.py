"""The offline endpoint of `--demo` and `demo-server`: it reads the prompt it gets, and answers as a guided tour.

`answer` decides what a request gets, without network or clock; `tour` holds the texts; `transport` plays the answer
behind the very client that talks to the real endpoint.
"""

from kimi_tui.adapters.simulator.transport import SimulatorTransport

__all__ = ["SimulatorTransport"]
