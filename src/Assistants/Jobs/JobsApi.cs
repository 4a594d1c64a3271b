using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Jobs;

/// <summary>The processes that run for a user, for himself. Another's is not found.</summary>
internal static class JobsApi
{
    public static void MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/jobs").WithTags("Jobs").RequireMojodexUser();
        jobs.MapGet("/{job_id}", GetAsync).WithSummary("Read how a process fares");
        jobs.MapDelete("/{job_id}", CancelAsync).WithSummary("Cancel a process");
    }

    internal static async Task<Ok<JobStatus>> GetAsync(
        [FromRoute(Name = "job_id")] string jobId, MojodexCaller caller,
        AssistantsDb db, JobStore jobs, TimeProvider time, CancellationToken ct) =>
        TypedResults.Ok(JobStatus.Of(await FindAsync(jobs, IdOf(jobId), await ScopeAsync(db, caller, ct), ct), time.GetUtcNow()));

    internal static async Task<Ok<JobStatus>> CancelAsync(
        [FromRoute(Name = "job_id")] string jobId, MojodexCaller caller, AssistantsDb db, JobStore jobs, JobActs acts, TimeProvider time,
        CancellationToken ct)
    {
        var (id, scope) = (IdOf(jobId), await ScopeAsync(db, caller, ct));
        await acts.CancelAsync(id, scope, $"user:{caller.UserId}", ct);
        return TypedResults.Ok(JobStatus.Of(await FindAsync(jobs, id, scope, ct), time.GetUtcNow()));
    }

    private static Guid IdOf(string text) => Guid.TryParse(text, out var id) ? id : throw Failure.NotFound("Job");

    private static async Task<JobScope> ScopeAsync(AssistantsDb db, MojodexCaller caller, CancellationToken ct)
    {
        var organization = await db.Users.Where(user => user.Id == caller.UserId)
            .Select(user => (Guid?)user.OrganizationId).FirstOrDefaultAsync(ct)
            ?? throw Failure.NotFound("Job");
        return new(organization, KeyId: null, IsHost: false, Tenant: caller.UserId);
    }

    private static async Task<JobRow> FindAsync(JobStore jobs, Guid id, JobScope scope, CancellationToken ct) =>
        await jobs.FindAsync(id, scope, ct) ?? throw Failure.NotFound("Job");

    /// <param name="State"><c>scheduled</c>, <c>queued</c>, <c>running</c>, <c>retrying</c>, <c>succeeded</c>, <c>dead</c>,
    /// <c>cancelled</c>.</param>
    /// <param name="Attempt">Runs that count, the present one included.</param>
    /// <param name="Spent">By all its runs that are over.</param>
    internal sealed record JobStatus(
        string JobId, string Kind, string State, int Attempt, int MaxAttempts, DateTimeOffset CreatedAt,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Progress? Progress,
        string? Error, DateTimeOffset? FinishedAt,
        Spending Spent, IReadOnlyList<JobRun> Runs)
    {
        public static JobStatus Of(JobRow row, DateTimeOffset now)
        {
            var runs = JobRun.Of(row);
            return new(
                row.Id.ToString(), row.Kind, StateOf(row, now), row.Attempts, row.MaxAttempts, row.CreatedAt,
                row.ProgressDone is { } done ? new(done, row.ProgressTotal, row.ProgressNote) : null,
                runs is [.., { IsWaiting: true }] ? null : JobRun.ErrorOf(row.Error), row.FinishedAt,
                runs.Select(run => run.Spent).OfType<Spending>().Aggregate(Spending.None, (all, one) => all.With(one)), runs);
        }

        private static string StateOf(JobRow row, DateTimeOffset now) => row.State switch
        {
            JobState.Available when row.Attempts > 0 => "retrying",
            JobState.Available when row.RunAt <= now => "queued",
            JobState.Available or JobState.Waiting or JobState.Parked => "scheduled",
            JobState.Running => "running",
            JobState.Succeeded => "succeeded",
            JobState.Dead => "dead",
            JobState.Cancelled => "cancelled",
        };
    }

    internal sealed record Progress(long Done, long? Total, string? Note);
}
