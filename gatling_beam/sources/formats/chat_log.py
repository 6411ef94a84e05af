"""Plain chat: the user's words. There are no tools, so there are no calls."""

from typing import Any

from gatling_beam.sources.base import Extracted
from gatling_beam.sources.parsing import column, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec

# The commonest languages of the two big logs, which write them as English words.
_LANGUAGES = {
    "Arabic": "ar",
    "Chinese": "zh",
    "Dutch": "nl",
    "English": "en",
    "French": "fr",
    "German": "de",
    "Indonesian": "id",
    "Italian": "it",
    "Japanese": "ja",
    "Korean": "ko",
    "Persian": "fa",
    "Polish": "pl",
    "Portuguese": "pt",
    "Russian": "ru",
    "Spanish": "es",
    "Swedish": "sv",
    "Turkish": "tr",
    "Ukrainian": "uk",
    "Vietnamese": "vi",
}


def chat_log(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `messages` and `id` (column names). A column `language` names the language, "und" if nobody knows it."""
    options = spec.options
    session = Session()
    for role, message in messages_of(column(row, options.get("messages", "messages")), "the conversation"):
        if role == "user":
            session.user(text_of(message))
    request, _ = session.finish()
    language = row.get("language")
    return Extracted(
        request=request,
        calls=[],
        original_id=row_id(row, options.get("id", "id")),
        language=_LANGUAGES.get(language, "und") if isinstance(language, str) else "",
    )
