"""The edge of GraphQL: HTTP, server-sent events and WebSocket around one engine."""
