using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Live;

/// <summary>What happened a day ago is history: whoever comes back looks at the subject itself.</summary>
internal sealed record ForgetLiveEvents
{
    public const string Kind = "assistants.forget_live_events";
}

internal sealed class ForgetLiveEventsHandler(AssistantsDb db, TimeProvider time) : IJobHandler<ForgetLiveEvents>
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    public Task RunAsync(ForgetLiveEvents job, JobContext context, CancellationToken ct)
    {
        var before = time.GetUtcNow() - Kept;
        return db.Database.ExecuteSqlAsync($"delete from assistants.live_events where created_at < {before}", ct);
    }
}
