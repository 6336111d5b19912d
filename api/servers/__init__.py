"""The private servers (私有服务) of the embedded default: PostgreSQL, Valkey and children of ours."""

from api.servers.child import Child
from api.servers.errors import ServersError
from api.servers.supervisor import Servers, Supervisor

__all__ = ["Child", "Servers", "ServersError", "Supervisor"]
