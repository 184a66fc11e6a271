"""What carries the adapters' requests: the network, or what a rehearsal or a test puts there.

The other rooms name it from here, so that only this room imports the HTTP library.
"""

import httpx

Transport = httpx.AsyncBaseTransport
"""`None` where one may be given means the network."""
