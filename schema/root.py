"""The schema: roots put together from the domains, one list of node types."""

from __future__ import annotations

import strawberry
from strawberry.tools import merge_types

from schema import (
    audit,
    deliveries,
    estate,
    estate_commands,
    home,
    household,
    identity,
    imports,
    inbox,
    invitations,
    jobs,
    live,
    notification_settings,
    organisation,
    passes,
    photos,
    profile,
    push_subscriptions,
    registration,
    residents,
    roles,
    staff,
    staff_commands,
    subscribe_messages,
    vehicles,
    viewer,
    webhooks,
)
from schema.nodes import NodeQuery
from schema.scalars import schema_config

QUERIES = (
    NodeQuery,
    viewer.ViewerQuery,
    estate.EstateQuery,
    organisation.OrganisationQuery,
    residents.ResidentsQuery,
    registration.RegistrationQuery,
    vehicles.VehiclesQuery,
    passes.PassesQuery,
    imports.ImportsQuery,
    staff.StaffQuery,
    roles.RolesQuery,
    audit.AuditQuery,
    deliveries.DeliveriesQuery,
    jobs.JobsQuery,
    push_subscriptions.PushQuery,
    webhooks.WebhooksQuery,
)
MUTATIONS = (
    identity.IdentityMutation,
    profile.ProfileMutation,
    estate_commands.EstateMutation,
    registration.RegistrationMutation,
    invitations.InvitationsMutation,
    household.HouseholdMutation,
    residents.ResidentsMutation,
    vehicles.VehiclesMutation,
    photos.PhotosMutation,
    imports.ImportsMutation,
    staff_commands.StaffMutation,
    staff_commands.OwnCredentialsMutation,
    roles.RolesMutation,
    deliveries.DeliveriesMutation,
    jobs.JobsMutation,
    inbox.InboxMutation,
    notification_settings.NotificationSettingsMutation,
    subscribe_messages.SubscribeMutation,
    push_subscriptions.PushMutation,
    webhooks.WebhooksMutation,
)

SUBSCRIPTIONS = (live.LiveSubscription,)

Query = merge_types("Query", QUERIES)
Mutation = merge_types("Mutation", MUTATIONS)
Subscription = merge_types("Subscription", SUBSCRIPTIONS)

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        estate.Compound,
        estate.Building,
        estate.Unit,
        organisation.Region,
        estate.House,
        household.Occupancy,
        vehicles.Vehicle,
        residents.Person,
        registration.Registration,
        invitations.Invitation,
        inbox.Notification,
        webhooks.Webhook,
        *home.CARDS,
        staff.Staff,
        roles.Role,
    ],
    config=schema_config(),
)
