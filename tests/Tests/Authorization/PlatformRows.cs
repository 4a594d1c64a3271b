using Npgsql;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Platform.Privacy;
using Stoa.Platform.Webhooks;
using Stoa.Tests.Support;
using static Stoa.Tests.Authorization.MatrixRows;

namespace Stoa.Tests.Authorization;

/// <summary>The platform's own routes.</summary>
internal static class PlatformRows
{
    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["GET /healthz"] = new(AccessRule.Anyone),
        ["GET /readyz"] = new(AccessRule.Anyone),
        ["GET /openapi/{surface}.json"] = new(AccessRule.Anyone, Always("stoa")) { Whose = Whose.Everybodys },

        ["GET /api/stoa/keys"] = new(AccessRule.Admin),
        ["POST /api/stoa/keys"] = new(AccessRule.Admin, Body: """{"name":"{unique}"}"""),
        ["GET /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["DELETE /api/stoa/keys/{id}"] = new(AccessRule.Admin, KeyAsync),
        ["POST /api/stoa/keys/{id}/rotate"] = new(AccessRule.Admin, KeyAsync, """{"overlap_minutes":5}"""),

        ["GET /api/stoa/webhooks/secrets"] = new(AccessRule.Admin),
        ["POST /api/stoa/webhooks/secrets"] = new(AccessRule.Admin, Body: """{"overlap_minutes":5}"""),
        ["DELETE /api/stoa/webhooks/secrets/{id}"] = new(AccessRule.Admin, WebhookSecretAsync),
        ["GET /api/stoa/webhooks/deliveries"] = new(AccessRule.Admin),
        ["GET /api/stoa/webhooks/deliveries/{id}"] = new(AccessRule.Admin, DeliveryAsync),
        ["POST /api/stoa/webhooks/deliveries/{id}/resend"] = new(AccessRule.Admin, DeliveryAsync),

        ["POST /api/stoa/sessions"] =
            new(AccessRule.Anyone, Body: """{"email":"nobody@example.org","password":"wrong"}""") { Answers = [401, 429] },
        ["DELETE /api/stoa/sessions/current"] = new(AccessRule.Caller) { Answers = [204, 409] },
        ["GET /api/stoa/me"] = new(AccessRule.Caller),
        ["PATCH /api/stoa/me"] = new(AccessRule.Person, Body: """{"name":"Somebody"}"""),
        ["PUT /api/stoa/me/password"] = new(AccessRule.Person, Body: """{"new_password":"short"}""") { Answers = [400] },
        ["PUT /api/stoa/me/email"] = new(AccessRule.Person, Body: """{"email":"{unique}@example.org"}""") { Answers = [400, 409] },
        ["PUT /api/stoa/me/organization"] = new(AccessRule.Person, OrganizationAsync, """{"organization_id":"{0}"}"""),
        ["DELETE /api/stoa/me/organizations/{id}"] = new(AccessRule.Person, JoinedAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/sessions"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/sessions"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/sessions/{id}"] = new(AccessRule.Person, SessionAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/accounts"] = new(AccessRule.Person),
        ["DELETE /api/stoa/me/accounts/{provider}"] = new(AccessRule.Person, AccountAsync) { Whose = Whose.Persons },
        ["GET /api/stoa/me/export"] = new(AccessRule.Person),
        ["POST /api/stoa/me/erasure"] = new(AccessRule.Person) { Answers = [202, 409] },
        ["DELETE /api/stoa/me/erasure"] = new(AccessRule.Person),

        ["POST /api/stoa/organizations"] = new(AccessRule.Person, Body: """{"slug":"{unique}","name":"Founded"}"""),
        ["GET /api/stoa/organizations/{id}"] = new(AccessRule.Viewer, OrganizationAsync),
        ["PATCH /api/stoa/organizations/{id}"] = new(AccessRule.Admin, OrganizationAsync, """{"name":"Renamed"}"""),
        ["GET /api/stoa/members"] = new(AccessRule.Admin),
        ["GET /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync),
        ["PATCH /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync, """{"role":"viewer"}"""),
        ["DELETE /api/stoa/members/{person_id}"] = new(AccessRule.Admin, MemberAsync),
        ["GET /api/stoa/invitations"] = new(AccessRule.Admin),
        ["POST /api/stoa/invitations"] = new(AccessRule.Admin, Body: """{"email":"{unique}@example.org","role":"viewer"}"""),
        ["DELETE /api/stoa/invitations/{id}"] = new(AccessRule.Admin, InvitationAsync),
        ["POST /api/stoa/invitations/accept"] = new(AccessRule.Person, OwnInvitationAsync, """{"token":"{0}"}""") { Whose = Whose.Persons },
        ["GET /api/stoa/principals"] = new(AccessRule.Admin),
        ["POST /api/stoa/principals"] = new(AccessRule.Admin, Body: """{"name":"{unique}"}"""),
        ["DELETE /api/stoa/principals/{id}"] = new(AccessRule.Admin, PrincipalAsync),
        ["GET /api/stoa/audit"] = new(AccessRule.Admin) { ShowsOperatorsAll = true },
        ["GET /api/stoa/people"] = new(AccessRule.Operator),
        ["GET /api/stoa/people/{id}"] = new(AccessRule.Operator, MemberAsync) { Whose = Whose.Everybodys },
        ["PATCH /api/stoa/people/{id}"] = new(AccessRule.Operator, MemberAsync, """{"state":"suspended"}""") { Whose = Whose.Everybodys },
        ["POST /api/stoa/people/{id}/password-reset"] = new(AccessRule.Operator, MemberAsync) { Whose = Whose.Everybodys },

        ["GET /api/stoa/jobs"] = new(AccessRule.Viewer) { ShowsOperatorsAll = true },
        ["GET /api/stoa/jobs/{id}"] = new(AccessRule.Viewer, WaitingJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["GET /api/stoa/jobs/{id}/events"] = new(AccessRule.Viewer, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/cancel"] = new(AccessRule.Viewer, WaitingJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/retry"] = new(AccessRule.Admin, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/{id}/replay"] = new(AccessRule.Admin, DeadJobAsync, "{}") { Whose = Whose.PersonsAndAdmins },
        ["POST /api/stoa/jobs/replay"] = new(AccessRule.Admin, Body: """{"kind":"no.such"}"""),
        ["DELETE /api/stoa/jobs/{id}"] = new(AccessRule.Admin, DeadJobAsync) { Whose = Whose.PersonsAndAdmins },
        ["GET /api/stoa/jobs/kinds"] = new(AccessRule.Operator),
        ["POST /api/stoa/jobs/kinds/{kind}/pause"] = new(AccessRule.Operator, Always(ErasePerson.Kind)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/kinds/{kind}/resume"] = new(AccessRule.Operator, Always(ErasePerson.Kind)) { Whose = Whose.Everybodys },
        ["GET /api/stoa/jobs/schedules"] = new(AccessRule.Operator),
        ["POST /api/stoa/jobs/schedules/{name}/pause"] = new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/schedules/{name}/resume"] = new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys },
        ["POST /api/stoa/jobs/schedules/{name}/run"] =
            new(AccessRule.Operator, Always(Schedule)) { Whose = Whose.Everybodys, Answers = [201, 409] },
    };

    private static async Task<string[]> WebhookSecretAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var secret = await world.WithAsync<WebhookSecrets, WebhookSecret>(async secrets =>
            await world.WithAsync<IdentityDb, WebhookSecret>(async db =>
                (await secrets.RotateAsync(db, owner.OrganizationId!.Value, TimeSpan.FromDays(1), "test", ct)).Row));
        return [secret.Id.ToString()];
    }

    private static async Task<string[]> DeliveryAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        // No job sends it, so that only what a caller does changes it.
        var now = TimeProvider.System.GetUtcNow();
        var delivery = new WebhookDelivery
        {
            Id = Guid.CreateVersion7(now), OrganizationId = owner.OrganizationId!.Value, WebhookId = world.Unique("webhook"), Kind = "test",
            Url = "http://10.0.0.1/", Body = "{}", State = WebhookState.Delivered, CreatedAt = now, UpdatedAt = now,
        };
        await world.WithAsync<WebhookDb>(db =>
        {
            db.Deliveries.Add(delivery);
            return db.SaveChangesAsync(ct);
        });
        return [delivery.Id.ToString()];
    }

    /// <summary>An organization of somebody else's in which he is a member.</summary>
    private static async Task<string[]> JoinedAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var organization = await world.OrganizationAsync(world.Unique("joined"), ct);
        var person = await world.PersonOfAsync(owner, ct);
        await world.WithAsync<MemberStore>(members => members.AddAsync(organization, person, MemberRole.Viewer, "test", ct));
        return [organization.ToString()];
    }

    private static async Task<string[]> SessionAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var session = await world.SessionAsync(await world.PersonOfAsync(owner, ct), ct);
        return [session.Id.ToString()];
    }

    /// <summary>One of two, as the last way in cannot be taken away.</summary>
    private static async Task<string[]> AccountAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var person = await world.PersonOfAsync(owner, ct);
        var provider = world.Unique("provider");
        foreach (var name in (string[])[provider, world.Unique("provider")])
        {
            await world.WithAsync<PersonStore>(
                people => people.LinkAsync(person, new(name, world.Unique("subject"), null, false), "test", ct));
        }
        return [provider];
    }

    private static async Task<string[]> InvitationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var made = await world.InvitationAsync(owner.OrganizationId!.Value, $"{world.Unique("guest")}@example.org", ct);
        return [made.Invitation.Id.ToString()];
    }

    /// <summary>The token of an invitation to him.</summary>
    private static async Task<string[]> OwnInvitationAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var guest = await world.PersonOfAsync(owner, ct);
        var person = await world.WithAsync<PersonStore, Person?>(people => people.FindAsync(guest, ct));
        var organization = await world.OrganizationAsync(world.Unique("host"), ct);
        return [(await world.InvitationAsync(organization, person!.Email!, ct)).Token];
    }

    private static async Task<string[]> PrincipalAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        var made = new Principal
        {
            Id = Guid.CreateVersion7(), OrganizationId = owner.OrganizationId!.Value,
            Name = "program", CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        await world.WithAsync<IdentityDb>(db =>
        {
            db.Principals.Add(made);
            return db.SaveChangesAsync(ct);
        });
        return [made.Id.ToString()];
    }

    private static async Task<string[]> WaitingJobAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        EnqueueOptions options = new()
        {
            RunAt = TimeProvider.System.GetUtcNow().AddDays(1),
            Owner = new(owner.OrganizationId, owner.PersonId, owner.KeyId),
        };
        var receipt = await world.WithAsync<JobQueue, JobReceipt>(jobs => jobs.EnqueueAsync(new ErasePerson(Guid.Empty), options, ct));
        return [receipt.Id.ToString()];
    }

    private static async Task<string[]> DeadJobAsync(MatrixWorld world, MatrixCaller owner, CancellationToken ct)
    {
        JobOwner whose = new(owner.OrganizationId, owner.PersonId, owner.KeyId);
        var id = await world.WithAsync<NpgsqlDataSource, Guid>(source => DeadJob.AddAsync(source, whose, ct));
        return [id.ToString()];
    }
}
