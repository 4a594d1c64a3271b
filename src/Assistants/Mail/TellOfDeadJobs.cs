using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Mail;

/// <summary>
/// Every quarter of an hour: tells the technical mailbox which jobs are dead that it was not told of, all of them in one mail. So each is
/// told of once, and there are at most four mails in an hour whatever breaks.
/// </summary>
internal sealed record TellOfDeadJobs
{
    public const string Kind = "assistants.tell_of_dead_jobs";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(15);

    public static readonly JobRules Rules = ScheduleRules.Default with
    {
        MaxRunning = 1,
        OnlyIf = $"""
            select exists (
              select from platform.finished_jobs
                where state = 'dead' and finished_at > now() - interval '1 day' and kind like 'assistants.%'
            )
            """,
    };
}

internal sealed class TellOfDeadJobsHandler(AssistantsDb db, TechnicalMail technical, TimeProvider time) : IJobHandler<TellOfDeadJobs>
{
    private const int MostNamed = 5;

    // So long before its end a job may have been made; ids of jobs grow with the time.
    private static readonly TimeSpan Oldest = TimeSpan.FromDays(30);

    public async Task RunAsync(TellOfDeadJobs job, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await context.FenceAsync(db, ct);
        // A mail to the mailbox that could not be sent is not told to the mailbox.
        var dead = await db.Database.SqlQuery<Dead>($"""
            with told as (
              insert into platform.job_inbox (scope, key)
              select {TellOfDeadJobs.Kind}, id::text from platform.finished_jobs
              where state = 'dead' and id > {Guid.CreateVersion7(time.GetUtcNow() - Oldest)} and finished_at > now() - interval '1 day'
                and kind like 'assistants.%' and kind <> {SendOfficeMail.Kind}
              on conflict do nothing returning key
            )
            select kind, count(*)::integer as count, (array_agg(id order by id))[1:{MostNamed}] as first
            from platform.finished_jobs
            where id = any (select key::uuid from told) and finished_at > now() - interval '1 day' and state = 'dead'
            group by kind order by kind
            """).ToListAsync(ct);
        if (dead.Count > 0)
        {
            technical.TellAlways(db, Words(dead));
            await db.SaveChangesAsync(ct);
        }
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }

    private static string Words(List<Dead> dead)
    {
        var lines = dead.Select(kind => string.Create(
            CultureInfo.InvariantCulture,
            $"- {kind.Kind}: {kind.Count} ({string.Join(", ", kind.First)}{(kind.Count > MostNamed ? ", …" : "")})"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            Jobs that failed for good: {dead.Sum(kind => kind.Count)}

            {string.Join('\n', lines)}

            The console shows why, and runs them again.
            """);
    }

    private sealed record Dead(string Kind, int Count, Guid[] First);
}
