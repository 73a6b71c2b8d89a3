"""People, organisations, what a person may be in which of them, and the tokens of programs."""

import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from mobility.accounts.states import (
    PRIVACY_MOVES,
    STAFF_ROLES,
    ConsentTopic,
    OrganisationKind,
    PrivacyKind,
    PrivacyState,
    Role,
)
from mobility.core.models import PublicModel
from mobility.core.principals import Principal, user_principal
from mobility.core.texts import LocalizedField, pick


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Organisations by who belongs to them."""

    def visible_to(self, user: "User") -> "OrganisationQuerySet":
        """Those in which the person has any role."""
        return self.all() if user.is_superuser else self.filter(pk__in=user.roles_by_organisation)

    def run_by(self, user: "User", *roles: str) -> "OrganisationQuerySet":
        """Those for which the person acts in one of `roles`."""
        return self if user.is_superuser else self.filter(pk__in=user.organisations_as(*roles))


class Organisation(PublicModel):
    """The city, a fleet operator or a charge-point operator: whose rows are whose."""

    slug = models.SlugField(_("slug"), unique=True)
    name = LocalizedField(_("name"))
    kind = models.CharField(_("kind"), max_length=30, choices=OrganisationKind.choices)
    legal_name = models.CharField(_("legal name"), max_length=200, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return pick(self.name)


class UserManager(BaseUserManager["User"]):
    """Creates people; the e-mail address is the name they log in with."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person with `email`; without a password they cannot log in by one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """The platform's own administrator, beyond all organisations."""
        return self.create_user(email, password, is_superuser=True, **fields)


class User(PublicModel, AbstractBaseUser, PermissionsMixin):
    """A person with an account."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=[("it", "Italiano"), ("en", "English")], default="it"
    )
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def principal(self) -> Principal:
        """The opaque name under which this person's deeds are recorded."""
        return user_principal(self.public_id)

    # Set for the time of a request whose session has not shown the second factor that staff need.
    lacks_second_factor = False

    @cached_property
    def roles_by_organisation(self) -> dict[int, set[str]]:
        """Organisation id → roles; one query per request, then remembered on the instance."""
        roles: dict[int, set[str]] = {}
        if self.lacks_second_factor:
            return roles
        for organisation_id, role in self.memberships.values_list("organisation_id", "role"):
            roles.setdefault(organisation_id, set()).add(role)
        return roles

    def organisations_as(self, *roles: str) -> set[int]:
        """Ids of the organisations in which this person has one of `roles`."""
        wanted = set(roles)
        return {
            organisation
            for organisation, held in self.roles_by_organisation.items()
            if held & wanted
        }

    def has_role(self, *roles: str) -> bool:
        """Whether this person has one of `roles` anywhere; the platform's administrator has all."""
        return self.is_superuser or bool(self.organisations_as(*roles))

    @property
    def is_staff(self) -> bool:
        """Whether the admin opens for this person: by a role, never by a flag that could be left over."""
        return self.is_superuser or self.has_role(*STAFF_ROLES)


class Membership(models.Model):
    """That a person has a role in an organisation."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("organisation"),
    )
    role = models.CharField(_("role"), max_length=30, choices=Role.choices)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"], name="membership_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}, {self.organisation}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens by whether they still open a door."""

    def valid_at(self, at: datetime.datetime) -> "ApiTokenQuerySet":
        """Neither revoked nor expired."""
        return self.filter(
            models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=at), revoked_at__isnull=True
        )

    def visible_to(self, user: User) -> "ApiTokenQuerySet":
        """A person's own."""
        return self.filter(user=user)


class ApiToken(PublicModel):
    """A program's key to act as a person; only its hash is kept."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("person")
    )
    label = models.CharField(_("label"), max_length=100, blank=True)
    secret_hash = models.CharField(_("secret hash"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.user}: {self.label or self.public_id}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Consents by whose they are and whether they stand."""

    def visible_to(self, user: User) -> "ConsentQuerySet":
        """A person's own."""
        return self.filter(user=user)

    def standing(self) -> "ConsentQuerySet":
        """Given and not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Consent(PublicModel):
    """That a person agreed to something, to which version of the text, when, and until when."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="consents", verbose_name=_("person")
    )
    topic = models.CharField(_("topic"), max_length=20, choices=ConsentTopic.choices)
    version = models.CharField(_("version of the text"), max_length=20)
    given_at = models.DateTimeField(_("given at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "topic"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_standing_consent_a_topic",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_topic_display()} {self.version}"


class PrivacyRequestQuerySet(models.QuerySet["PrivacyRequest"]):
    """Requests by whose they are and what is to be done about them."""

    def visible_to(self, user: User) -> "PrivacyRequestQuerySet":
        """A person's own."""
        return self.filter(user=user)

    def unfinished(self) -> "PrivacyRequestQuerySet":
        """Still to be answered."""
        return self.filter(state=PrivacyState.ASKED)


class PrivacyRequest(PublicModel):
    """A person's wish to see all that is known of them, or to be forgotten; kept as proof."""

    moves: ClassVar = {"state": PRIVACY_MOVES}

    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="privacy_requests", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=PrivacyKind.choices)
    state = models.CharField(
        _("state"), max_length=8, choices=PrivacyState.choices, default=PrivacyState.ASKED
    )
    asked_at = models.DateTimeField(_("asked at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    file = models.ForeignKey(
        "mobility.StoredFile",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("archive"),
    )

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("privacy request")
        verbose_name_plural = _("privacy requests")
        constraints: ClassVar = [
            # Asking twice before the answer is there is asking once.
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(state="asked"),
                name="one_open_privacy_request_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.user}"
