"""Channels to the services: limits, keepalive, retries, balancing."""

import json
from typing import Final

import grpc

MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024

SERVICE_CONFIG: Final = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [
            {
                "name": [{}],
                # UNAVAILABLE alone means that the peer did not take the call.
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)

OPTIONS: Final = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    # Connections of its own: two channels that begin at once to watch the health of a peer that they
    # share end the process now and then (grpcio 1.85: HealthProducer is found before it is started).
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A frozen peer is noticed after two to three and a half seconds, and its calls go to the others.
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 1_500),
    # Without it a frozen peer takes 70 s to notice.
    ("grpc.http2.ping_timeout_ms", 1_500),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # The mesh is no business of the proxy that the models may need.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    # A closed connection has the name looked up again; the default of 30 s hides new replicas.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # Despite its name, the time that one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 1_000),
)


def open_channel(target: str, *, service: str = "") -> grpc.aio.Channel:
    """A channel for the process's life; close it as `async with`.

    It calls whoever is SERVING as a whole; `service` asks of that one alone.
    """
    if not service:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    told = json.loads(SERVICE_CONFIG) | {"healthCheckConfig": {"serviceName": service}}
    options = {**dict(OPTIONS), "grpc.service_config": json.dumps(told)}
    return grpc.aio.insecure_channel(target, options=tuple(options.items()))
