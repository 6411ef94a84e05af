"""What names mean: the verb class, privilege, control flow and destination risk of a tool; the sensitivity of names.

Names are read by whole words (`words`), never by substrings: `account_id` holds no `count`, `laptop` no `top`. The
scales are those of the energy terms: privilege 0 (read) .. 10 (administration), control flow and destination risk 0..1,
sensitivity 1 (public) .. 5 (critical). Everything is cached by name, since names are few and rows are many.
"""

import re
from functools import lru_cache

import msgspec

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


@lru_cache(maxsize=1 << 16)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name in snake_case, camelCase, dotted, spaced or kebab-case form."""
    return tuple(word.lower() for word in _WORD.findall(name))


def word_set(text: str) -> frozenset[str]:
    """The blank-separated words of `text`."""
    return frozenset(text.split())


_CONTROL = word_set(
    "execute exec eval run spawn invoke delegate loop script shell command subprocess trigger orchestrate"
)
_EGRESS = word_set(
    "send email mail sms text notify forward publish post tweet broadcast share export upload webhook dispatch reply "
    "message announce submit transmit push fax"
)
_DESTROY = word_set(
    "delete remove drop cancel purge wipe terminate revoke destroy erase clear reset disable deactivate"
)
_WRITE = word_set(
    "create add update set edit modify write save insert make book reserve schedule register open close append put "
    "patch rename move copy assign approve reject enable activate start stop pay buy purchase order place change "
    "adjust mark log record store turn play pause transfer deposit withdraw grant rate subscribe enroll apply "
    "generate draft mkdir touch rm mv cp cd"
)
_READ = word_set(
    "get list fetch read search find query lookup look show view check retrieve describe count calculate compute "
    "convert estimate analyze analyse compare validate verify track predict translate summarize summarise detect "
    "classify filter sort load browse download scan extract identify recommend suggest rank parse format ping"
)
_ADMIN = word_set("admin administrator permission permissions grant privilege role roles sudo root policy iam acl")
_MONEY = word_set("transfer pay payment funds wire withdraw deposit refund charge payout purchase buy")
_STORE = word_set("save store write insert append create add update record")
_LOGS = word_set("log logs audit metric metrics trace")

_SENSITIVITY = (
    (
        5,
        word_set(
            "password passwords passphrase secret secrets credential credentials ssn cvv pin otp mfa apikey privatekey"
        ),
    ),
    (
        4,
        word_set(
            "medical patient diagnosis prescription health salary payroll bank iban card passport tax loan credit "
            "debit biometric license licence insurance token account balance transaction funds legal"
        ),
    ),
    (
        3,
        word_set(
            "email phone address birthday birthdate dob customer employee invoice payment contact user profile person "
            "client order message sms mail note calendar location gps name recipient attendee document file"
        ),
    ),
    (
        1,
        word_set(
            "weather forecast news movie film song lyrics recipe joke quote trivia fact exchange currency convert "
            "conversion calculate compute math factorial area distance timezone time holiday dictionary definition "
            "translate translation wikipedia anime game sport stock tide"
        ),
    ),
)
#: The sensitivity of a call whose names say nothing.
DEFAULT_SENSITIVITY = 2


class ToolMeaning(msgspec.Struct, frozen=True, gc=False):
    """What a tool's name says: `verb_class` is read, write, egress or control."""

    verb_class: str
    privilege: int
    control_flow: float
    destination_risk: float
    sensitivity: int


@lru_cache(maxsize=1 << 16)
def tool_meaning(tool_name: str) -> ToolMeaning:
    """The meaning of a tool by the words of its name; the first verb decides its class."""
    name = words(tool_name)
    known = frozenset(name)
    verb_class = next((cls for cls in map(_verb_class, name) if cls), "read")
    if verb_class == "read":
        privilege = 2 if known & _ADMIN else 1
    elif known & _ADMIN:
        privilege = 9
    elif known & _DESTROY:
        privilege = 8 if known & word_set("all user users account accounts") else 6
    elif known & _MONEY:
        privilege = 7
    else:
        privilege = {"write": 4, "egress": 5, "control": 6}[verb_class]
    if verb_class == "egress":
        risk = 1.0
    elif known & _LOGS:
        risk = 0.7
    elif verb_class != "read" and known & _STORE:
        risk = 0.3
    else:
        risk = 0.0
    return ToolMeaning(verb_class, privilege, float(verb_class == "control"), risk, _sensitivity_of(known))


def _verb_class(word: str) -> str:
    if word in _CONTROL:
        return "control"
    if word in _EGRESS:
        return "egress"
    if word in _WRITE or word in _DESTROY:
        return "write"
    return "read" if word in _READ else ""


def _sensitivity_of(known: frozenset[str]) -> int:
    singular = known | {word[:-1] for word in known if word.endswith("s")}
    for level, vocabulary in _SENSITIVITY:
        if singular & vocabulary:
            return level
    return DEFAULT_SENSITIVITY


@lru_cache(maxsize=1 << 16)
def argument_sensitivity(key: str) -> int:
    """The sensitivity of an argument by the words of its name, 1..5; `DEFAULT_SENSITIVITY` where they say nothing."""
    return _sensitivity_of(frozenset(words(key)))
