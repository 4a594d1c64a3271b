using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Jobs.Api;

/// <summary>Jobs of an organization, for its admins; of one key, for whoever holds it.</summary>
internal static class JobsApi
{
    private const int MaxReplay = 500;

    private static readonly FrozenDictionary<string, JobState> States =
        Enum.GetValues<JobState>().ToFrozenDictionary(EnumNames<JobState>.Write, StringComparer.Ordinal);

    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapOwnApi().MapGroup("/jobs").WithTags("Jobs").RequireCaller(MemberRole.Viewer);
        group.MapGet("/", ListAsync).WithSummary("List jobs, newest first");
        group.MapGet("/{id:guid}", GetAsync).WithSummary("Read a job with its arguments and history");
        group.MapGet("/{id:guid}/events", EventsAsync).WithSummary("Watch a job until its end, as server-sent events")
            .WithDescription("Each event is the whole job. `Last-Event-ID` resumes; 204 says that there is nothing more to come.");
        group.MapPost("/{id:guid}/cancel", CancelAsync).WithSummary("Cancel a job; a running one ends within seconds");

        var admin = routes.MapOwnApi().MapGroup("/jobs").WithTags("Jobs").RequireCaller(MemberRole.Admin);
        admin.MapPost("/{id:guid}/retry", RetryAsync)
            .WithSummary("Run a job now that waits for its next attempt, or replay a finished one");
        admin.MapPost("/{id:guid}/replay", ReplayAsync).WithSummary("Add a finished job anew, with its own or with edited arguments");
        admin.MapPost("/replay", ReplayManyAsync).WithSummary("Replay the dead jobs of a kind or a fingerprint");
        admin.MapDelete("/{id:guid}", DiscardAsync).WithSummary("Discard a dead job for good");
        admin.MapGet("/kinds", KindsAsync).RequireOperator().WithSummary("How each kind fares: depth by state, age of the oldest, pause");
        admin.MapPost("/kinds/{kind}/pause", PauseAsync).RequireOperator().WithSummary("Start no more jobs of a kind until it is resumed");
        admin.MapPost("/kinds/{kind}/resume", ResumeAsync).RequireOperator().WithSummary("Start jobs of a kind again");
        admin.MapSchedules();
    }

    internal static async Task<Ok<Listing<JobView>>> ListAsync(
        Caller caller, JobStore store, CancellationToken ct,
        string? kind = null, string? state = null, [FromQuery(Name = "min_attempts")] int? minAttempts = null, string? text = null,
        string? fingerprint = null, [FromQuery(Name = "key_id")] Guid? keyId = null,
        [FromQuery(Name = "created_by")] string? createdBy = null,
        [FromQuery(Name = "person_id")] Guid? personId = null, string? tenant = null,
        string? from = null, string? to = null, Guid? after = null, int limit = 50)
    {
        var filter = Filter(JobScope.Of(caller), state, kind, text, minAttempts, after, limit) with
        {
            Fingerprint = QueryValues.Text(fingerprint, "fingerprint"),
            KeyId = keyId,
            PersonId = personId,
            Tenant = QueryValues.Text(tenant, "tenant"),
            CreatedBy = QueryValues.Text(createdBy, "created_by"),
            CreatedFrom = QueryValues.Instant(from, "from"),
            CreatedBefore = QueryValues.Instant(to, "to"),
        };
        return TypedResults.Ok((await store.ListAsync(filter, ct)).Select(JobView.Of));
    }

    internal static async Task<Ok<JobDetail>> GetAsync(Guid id, Caller caller, JobStore store, CancellationToken ct) =>
        TypedResults.Ok(await DetailAsync(id, JobScope.Of(caller), store, ct));

    internal static Task<Results<ServerSentEventsResult<JobView?>, NoContent>> EventsAsync(
        Guid id, Caller caller, JobEvents events, HttpContext context, [FromHeader(Name = "Last-Event-ID")] string? lastEventId,
        CancellationToken ct) => events.OpenAsync(context, JobScope.Of(caller), id, lastEventId, ct);

    internal static async Task<Ok<JobDetail>> CancelAsync(
        Guid id, Caller caller, JobActs acts, JobStore store, CancellationToken ct)
    {
        var scope = JobScope.Of(caller);
        return await acts.CancelAsync(id, scope, caller.Actor, ct)
            ? TypedResults.Ok(await DetailAsync(id, scope, store, ct))
            : throw new Failure(FailureKind.Conflict, "job_finished", "The job is finished");
    }

    internal static async Task<Ok<JobAnswer>> RetryAsync(Guid id, Caller caller, JobActs acts, CancellationToken ct) =>
        TypedResults.Ok(new JobAnswer(await acts.RetryAsync(id, JobScope.Of(caller), caller.Actor, ct)));

    internal static async Task<Created<JobAnswer>> ReplayAsync(
        Guid id, Caller caller, JobActs acts, CancellationToken ct, [FromBody] ReplayTerms? terms = null)
    {
        var made = await acts.ReplayAsync(id, JobScope.Of(caller), terms?.Arguments, caller.Actor, ct);
        return TypedResults.Created($"/api/stoa/jobs/{made}", new JobAnswer(made));
    }

    internal static async Task<Ok<Replayed>> ReplayManyAsync(ManyTerms terms, Caller caller, JobActs acts, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(terms.Kind) && string.IsNullOrEmpty(terms.Fingerprint))
        {
            throw Failure.Invalid("kind or fingerprint must be given", "kind");
        }
        if (terms.Limit is < 1 or > MaxReplay)
        {
            throw Failure.Invalid($"limit must be between 1 and {MaxReplay}", "limit");
        }
        var filter = new JobFilter
        {
            Scope = JobScope.Of(caller),
            Kind = QueryValues.Text(terms.Kind, "kind"),
            States = [JobState.Dead],
            Fingerprint = QueryValues.Text(terms.Fingerprint, "fingerprint"),
            CreatedFrom = terms.From,
            CreatedBefore = terms.To,
            Limit = terms.Limit,
        };
        return TypedResults.Ok(new Replayed(await acts.ReplayManyAsync(filter, caller.Actor, ct)));
    }

    internal static async Task<NoContent> DiscardAsync(Guid id, Caller caller, JobActs acts, CancellationToken ct)
    {
        await acts.DiscardAsync(id, JobScope.Of(caller), caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<KindList>> KindsAsync(JobStore store, CancellationToken ct) =>
        TypedResults.Ok(new KindList([.. (await store.OverviewAsync(ct)).Select(KindView.Of)]));

    internal static async Task<NoContent> PauseAsync(string kind, Caller caller, JobActs acts, CancellationToken ct)
    {
        await acts.PauseAsync(QueryValues.Text(kind, "kind")!, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> ResumeAsync(string kind, Caller caller, JobActs acts, CancellationToken ct)
    {
        await acts.ResumeAsync(QueryValues.Text(kind, "kind")!, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    /// <summary>The filters that a person fills in, too.</summary>
    /// <exception cref="Failure">Invalid: one of them cannot be.</exception>
    internal static JobFilter Filter(JobScope scope, string? state, string? kind, string? text, int? minAttempts, Guid? after, int limit) =>
        new()
    {
        Scope = scope,
        States = StatesOf(state),
        Kind = QueryValues.Text(kind, "kind"),
        Text = QueryValues.Text(text, "text"),
        MinAttempts = minAttempts,
        BeforeId = after,
        Limit = Listing.Checked(limit),
    };

    private static IReadOnlyList<JobState> StatesOf(string? text) =>
    [
        .. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(name => States.TryGetValue(name, out var state)
                ? state
                : throw Failure.Invalid($"state must be among {string.Join(", ", States.Keys.Order(StringComparer.Ordinal))}", "state")),
    ];

    private static async Task<JobDetail> DetailAsync(Guid id, JobScope scope, JobStore store, CancellationToken ct)
    {
        var row = await store.FindAsync(id, scope, ct) ?? throw Failure.NotFound("Job");
        return new(row, store.IsSensitive(row.Kind));
    }

    /// <summary>The job that will run.</summary>
    internal sealed record JobAnswer(Guid Id);

    /// <param name="Arguments">Instead of the job's own; of the same kind.</param>
    internal sealed record ReplayTerms(JsonElement? Arguments = null);

    internal sealed record ManyTerms(
        string? Kind = null, string? Fingerprint = null, DateTimeOffset? From = null, DateTimeOffset? To = null, int Limit = 100);

    internal sealed record Replayed(int Count);

    internal sealed record KindList(IReadOnlyList<KindView> Items);

    /// <param name="OldestSeconds">How long the oldest due job has been due.</param>
    internal sealed record KindView(
        string Kind, long Available, long Running, long Waiting, long Parked, double OldestSeconds, DateTimeOffset? PausedAt,
        string? PausedBy, DateTimeOffset? SucceededAt, double? LateAfterSeconds, bool IsLate)
    {
        public static KindView Of(KindOverview kind) => new(
            kind.Kind, kind.Available, kind.Running, kind.Waiting, kind.Parked, Math.Max(0, kind.OldestAge.TotalSeconds), kind.PausedAt,
            kind.PausedBy, kind.SucceededAt, kind.LateAfter?.TotalSeconds, kind.IsLate);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Listing<JobView>))]
[JsonSerializable(typeof(JobDetail))]
[JsonSerializable(typeof(JobsApi.JobAnswer))]
[JsonSerializable(typeof(JobsApi.ReplayTerms))]
[JsonSerializable(typeof(JobsApi.ManyTerms))]
[JsonSerializable(typeof(JobsApi.Replayed))]
[JsonSerializable(typeof(JobsApi.KindList))]
[JsonSerializable(typeof(JobHealth.Report))]
[JsonSerializable(typeof(SchedulesApi.ScheduleList))]
internal sealed partial class JobsJson : JsonSerializerContext;
