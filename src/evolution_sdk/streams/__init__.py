"""Events by the server's socket and by RabbitMQ, to the same handlers as those by webhook.

Each stream needs an extra: ``socketio`` or ``rabbitmq``.
"""

from ._consumer import OnEvent
from ._queue_names import QueueName, global_queue, instance_queue
from ._states import EventsDropped, State, StreamConnected, StreamDisconnected, StreamState
from ._stream import OnFailure, OnState, Stream, StreamOptions
from ._thread import run_in_thread
from .instance_streams import InstanceStreams
from .opening import open_streams
from .rabbit_stream import DEAD_LETTERS, RabbitStream
from .socket_stream import SocketStream

__all__ = [
    "DEAD_LETTERS",
    "EventsDropped",
    "InstanceStreams",
    "OnEvent",
    "OnFailure",
    "OnState",
    "QueueName",
    "RabbitStream",
    "SocketStream",
    "State",
    "Stream",
    "StreamConnected",
    "StreamDisconnected",
    "StreamOptions",
    "StreamState",
    "global_queue",
    "instance_queue",
    "open_streams",
    "run_in_thread",
]
