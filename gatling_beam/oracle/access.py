"""What a policy opens to its role, and the policy as a trace shows it."""

from functools import lru_cache

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.oracle.trace import SystemPolicy

_LIMIT_NAMES = {"rows": "max_results", "days": "max_days", "recipients": "max_recipients"}
_VOWELS = frozenset("aeiou")
_SPELT_WITH_AN = frozenset("aefhilmnorsx")  # "an hr adviser": the letter is called aitch


def allowed_owners(which: Domain, policy: Policy, kind: str) -> frozenset[str] | None:
    """The owners whose records of a kind the policy opens to the role; None for all."""
    record = which.spec.records[kind]
    return policy.sets.get(record.fields[record.owner].draw[5:]) if record.owner else None


def with_article(role: str) -> str:
    """A role with a or an before it; a word without vowels is read letter by letter."""
    word = role.split(" ")[0].casefold()
    sounds = _VOWELS if _VOWELS & set(word) else _SPELT_WITH_AN
    return f"{'an' if word[:1] in sounds else 'a'} {role}"


@lru_cache(maxsize=1 << 14)
def system_policy(domain_name: str, policy_id: str) -> SystemPolicy:
    """The policy of a role in the form of the trace."""
    which = domain(domain_name)
    policy = which.policy(policy_id)
    return SystemPolicy(
        policy_id=policy.policy_id,
        domain=which.name,
        description=f"{which.spec.title}: what {with_article(policy.role)} may do.",
        rules=policy.rules,
        forbidden_operations=tuple(sorted(f"{which.name}.{tool}" for tool in policy.forbidden)),
        scope_limits={_LIMIT_NAMES.get(name, f"max_{name}"): limit for name, limit in policy.limits.items()},
    )
