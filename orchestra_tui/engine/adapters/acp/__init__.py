"""Agents that speak the Agent Client Protocol: JSON-RPC in lines on their standard streams.

The rule a reader must not break: an agent is a client program like the others (`process/`): a
private copy, the warden, nobody else's keys. What it asks of us goes through `policy`, and the
package `agent-client-protocol` is loaded when the first agent is started, not before.
"""
