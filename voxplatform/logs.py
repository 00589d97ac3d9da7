"""How log lines look: structlog over the standard library, one line an event.

Knows no requests; ``voxplatform/middleware.py`` binds their ids. What must stay out is masked here.
"""

from __future__ import annotations

import logging
import logging.config
import re

import structlog

# The links of e-mails: whoever has one joins an account, or opens one.
_SECRET = re.compile(r"(/account/(?:invitations|confirm-email|password/reset/key)/)[^\s\"']+")


def without_secrets(
    logger: logging.Logger, method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Every line of every logger passes here: Django's name paths as well as ours."""
    return {
        name: _SECRET.sub(r"\1[secret]", value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def logging_config(level: str, *, as_json: bool) -> None:
    """Send every logger, ours and the libraries', to standard error in one form."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
            "root": {"handlers": ["stderr"], "level": level},
            # It would log every address it asks, those that open a private file among them.
            "loggers": {
                "httpx": {"level": "WARNING"},
                # It would log every session's id, which opens the session.
                "mcp": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
