using System.Data;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Workflows;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Messages;

/// <summary>
/// Each minute: whose answer will not come? A job that fails for the last time says so itself; one that died with its hosts, ran out of
/// time or was cancelled cannot. Its user sees the error where he waits, and may try again.
/// </summary>
internal sealed record ReportFailedWork
{
    public const string Kind = "assistants.report_failed_work";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    public static readonly JobRules Rules = ScheduleRules.Default with { MaxAttempts = 3, MaxRunning = 1 };
}

internal sealed class ReportFailedWorkHandler(
    AssistantsDb db, AnswerSubjects subjects, AnswerStore answers, WorkflowStore workflows,
    WebsiteStore readings, TimeProvider time) : IJobHandler<ReportFailedWork>
{
    // So long before its end a job may have been made; ids of jobs grow with the time.
    private static readonly TimeSpan Oldest = TimeSpan.FromDays(7);

    public async Task RunAsync(ReportFailedWork job, JobContext context, CancellationToken ct)
    {
        foreach (var session in await EndedAsync(AnswerMessages.Kind, "session_id", ct))
        {
            if (await UnansweredAsync(session, ct) is { } subject)
            {
                await answers.FailAsync(subject, ct);
            }
        }
        var steps = await EndedAsync(RunStep.Kind, "step_execution_id", ct);
        await workflows.FailAsync([.. steps.Select(int.Parse)], "This step came to no end", ct);
        var websites = await EndedAsync(ReadWebsite.Kind, "website_id", ct);
        await readings.FailAsync([.. websites.Select(int.Parse)], "Reading it came to no end", ct);
    }

    /// <summary>
    /// What jobs of a kind were about that have ended in the last hours without success. Those that found nothing left to do are no
    /// failures.
    /// </summary>
    private Task<List<string>> EndedAsync(string kind, string subject, CancellationToken ct) => db.Database.SqlQuery<string>($"""
        select distinct ended.args ->> {subject} as "Value" from platform.finished_jobs ended
        where ended.state in ('dead', 'cancelled') and ended.id > {Guid.CreateVersion7(time.GetUtcNow() - Oldest)} and ended.kind = {kind}
          and ended.finished_at > now() - interval '12 hours' and (ended.history -> -1 ->> 'state') is distinct from 'discarded'
        """).ToListAsync(ct);

    /// <summary>
    /// Null when nobody waits, or somebody works on it. Seen at one moment: whoever says something commits it together with its job.
    /// </summary>
    private async Task<AnswerSubject?> UnansweredAsync(string session, CancellationToken ct)
    {
        await using var moment = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var isOpen = await db.Database.SqlQuery<bool>($"""
            select exists (select from platform.jobs where kind = {AnswerMessages.Kind} and unique_key = {session}) as "Value"
            """).SingleAsync(ct);
        var subject = isOpen ? null : await subjects.FindAsync(session, ct);
        await moment.CommitAsync(ct);
        return subject;
    }
}
