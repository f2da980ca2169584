"""What is done when a table or view is created."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from core.sections.section import Section

#: What can be granted on a table or view (Redshift Developer Guide, GRANT).
PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE"})


_ALL_PRIVILEGES = frozenset({"ALL", "ALL PRIVILEGES"})


class Permission(Section):
    """A grant given when a table or view is created: to a user, a group, a role or everybody."""

    user: str | None = Field(default=None, description="to whom")
    group: str | None = Field(default=None, description="to which group")
    role: str | None = Field(default=None, description="to which role")
    public: bool = Field(default=False, description="to everybody")
    permission: str = Field(description="`SELECT`, `SELECT, INSERT`, `ALL` …")
    grant_option: bool | None = Field(
        default=None, description="whether a user may pass it on (groups and roles cannot); default: yes, as Dataduct"
    )

    @field_validator("permission")
    @classmethod
    def _known(cls, value: str) -> str:
        words = [" ".join(word.upper().split()) for word in value.split(",")]
        if words[0] in _ALL_PRIVILEGES and len(words) == 1:
            return words[0]
        if unknown := [word for word in words if word not in PRIVILEGES]:
            raise ValueError(
                f"{unknown[0]!r} is not a privilege on tables; known are ALL, {', '.join(sorted(PRIVILEGES))}"
            )
        return ", ".join(words)

    @model_validator(mode="after")
    def _one_grantee(self) -> Self:
        if sum(map(bool, (self.user, self.group, self.role, self.public))) != 1:
            raise ValueError("each permission needs exactly one of user, group, role and public")
        if self.grant_option and not self.user:
            raise ValueError("grant_option goes with a user: groups, roles and public cannot pass a privilege on")
        return self


class DatabaseSettings(Section):
    """What is done when a table or view is created."""

    permissions: tuple[Permission, ...] = Field(
        default=(), description="`{user, group, role or public, permission}` of new tables and views"
    )
    owner: str | None = Field(
        default=None,
        description="to whom new tables and views are handed over; the step's own user has to stay able to load them",
    )
