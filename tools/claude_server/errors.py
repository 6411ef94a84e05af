"""Errors in the API's form."""

import secrets
from typing import Any

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


def request_id() -> str:
    """A new id for the header `request-id`."""
    return f"req_{secrets.token_hex(12)}"


class ApiError(Exception):
    """What the API answers with `status` (one of 400, 401, 404, 413, 429, 500, 529), a message, headers and details."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        error_code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.headers, self.error_code = status, message, headers or {}, error_code

    def body(self, id_: str | None) -> dict[str, Any]:
        """The JSON of the answer, or of a batch's errored request (which has no id of its own)."""
        error: dict[str, Any] = {"type": _TYPES[self.status], "message": self.message}
        if self.error_code:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": id_}


def rate_limited(
    seconds: float, message: str = "This request would exceed your organization's rate limit."
) -> ApiError:
    """429 whose retry-after is `seconds`."""
    return ApiError(429, message, headers={"retry-after": f"{seconds:g}"})
