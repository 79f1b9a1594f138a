"""Drives turns: prompt out, bytes in, events to whoever listens, the reply into the session.

It knows neither the screen nor the network; a front end calls `Engine.start` and consumes the turn's events:

    turn = engine.start(open_session, Asking("Hello!"), request)
    async for event in turn.listen():
        …

May import `core`.
"""
