"""The errors this server answers with, in the shapes LM Studio uses."""

from lmdeck.demo.fields import Json


class ApiError(Exception):
    """One refusal. `type` is LM Studio's word for it (invalid_request, model_not_found, model_load_failed …)."""

    def __init__(
        self, status: int, type: str, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.type, self.message, self.code, self.param = status, type, message, code, param

    def native(self) -> Json:
        """`{"error": {"type", "message", "code"?, "param"?}}`, as `/api/v1` answers."""
        optional = {"code": self.code, "param": self.param}
        return {
            "error": {"type": self.type, "message": self.message} | {k: v for k, v in optional.items() if v is not None}
        }

    def plain(self) -> Json:
        """`{"error": "text"}`, as the older endpoints answer."""
        return {"error": self.message}

    def openai(self) -> Json:
        """`{"error": {"message", "type", "param", "code"}}`, as `/v1` answers."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        code = self.code or (None if self.type == "invalid_request" else self.type)
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": code}}

    def anthropic(self) -> Json:
        """`{"type": "error", "error": {"type", "message"}}`, as `/v1/messages` answers."""
        usual = "invalid_request_error" if self.status < 500 else "api_error"
        kind = {401: "authentication_error", 404: "not_found_error"}.get(self.status, usual)
        return {"type": "error", "error": {"type": kind, "message": self.message}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A 400 for a request that cannot be understood or is not allowed."""
    return ApiError(400, "invalid_request", message, code=code, param=param)


def model_not_found(key: str) -> ApiError:
    """404 for a model that is not on disk."""
    return ApiError(404, "model_not_found", f"Model {key} not found in downloaded models")


def instance_not_found(instance_id: str) -> ApiError:
    """404 for an instance that is not in memory."""
    return ApiError(404, "model_not_found", f"Model with instance identifier '{instance_id}' is not loaded.")


def load_failed(key: str, reason: str) -> ApiError:
    """500 for a model that could not be loaded, with the engine's reason."""
    return ApiError(500, "model_load_failed", f"Failed to load LLM '{key}': Error: {reason}")


NO_MODELS = ApiError(
    400,
    "invalid_request",
    "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
)
