"""The offline endpoint of `--demo` and `demo-server`: it reads the prompt it gets, and answers as a guided tour.

`request` checks a body as the endpoint does, `answer` decides what it gets, `reply` writes the words with the texts of
`tour` and `showpieces` or the forms of `forms` and `patterns`; none of these touches network or clock. `frames` turns
the decision into the endpoint's bytes, `pace` plays them, `transport` does so behind the very client that talks to the
real endpoint.
"""
