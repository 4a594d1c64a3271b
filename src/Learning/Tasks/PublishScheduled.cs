using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Progress;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Tasks;

/// <summary>Each minute: published tasks whose time has come lose their date. Learners see them from that moment on anyway.</summary>
internal sealed record PublishScheduled
{
    public const string Kind = "learning.publish_scheduled";

    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    public static readonly JobRules Rules = new()
    {
        OnlyIf = "select exists (select from learning.tasks where scheduled_publish_at is not null and deleted_at is null)",
    };
}

internal sealed class PublishScheduledHandler(LearningDb db, Standings standings, TimeProvider time) : IJobHandler<PublishScheduled>
{
    public async Task RunAsync(PublishScheduled job, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var published = await db.Database.SqlQuery<int>($"""
            update learning.tasks set scheduled_publish_at = null
            where scheduled_publish_at <= {time.GetUtcNow()} and status = 'published' and deleted_at is null
            returning id as "Value"
            """).ToListAsync(ct);
        if (published.Count > 0)
        {
            await standings.MarkStaleByTasksAsync(published, ct);
        }
        await transaction.CommitAsync(ct);
    }
}
