"""The offline endpoint of `--demo` and `demo-server`: it reads the prompt it gets, and answers as a guided tour.

`simulated_request` checks a body as the endpoint does, `simulated_answer` decides what it gets, `simulated_reply`
writes the words with the texts of `tour` and `showpieces` or the forms of `reply_forms` and `patterns`; none of these
touches network or clock. `simulated_bytes` turns the decision into the endpoint's bytes and plays them, `transport`
does so behind the very client that talks to the real endpoint.

May import `core` and `adapters.clock`.
"""
