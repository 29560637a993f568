"""Client of Atelier: `Client`, and `preprocess` for exported models."""

from .client import Client, JobFailed
from .connection import ServiceError, Unreachable
from .preprocessing import CannotRepeat, preprocess

__all__ = ["CannotRepeat", "Client", "JobFailed", "ServiceError", "Unreachable", "preprocess"]
#: The version of the service that the client was released with.
__version__ = "0.1.0"
