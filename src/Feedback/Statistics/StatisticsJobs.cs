using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Statistics;

/// <summary>Both boards of a frame.</summary>
internal sealed class BoardUpdates(NpgsqlDataSource source, TimeProvider time)
{
    /// <param name="everyone">Counts all of the total again, not only those whom something new concerns.</param>
    public async Task RunAsync(TimeFrame frame, bool everyone, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await UserStatistics.Update.RunAsync(source, frame, now, everyone, ct);
        await TrollStatistics.Update.RunAsync(source, frame, now, everyone, ct);
    }
}

/// <param name="Everyone">Once a day, for what no date tells.</param>
internal sealed record UpdateBoards(TimeFrame Frame, bool Everyone)
{
    public const string Kind = "feedback.update_boards";
}

internal sealed class UpdateBoardsHandler(BoardUpdates updates) : IJobHandler<UpdateBoards>
{
    public Task RunAsync(UpdateBoards job, JobContext context, CancellationToken ct) => updates.RunAsync(job.Frame, job.Everyone, ct);
}

internal sealed record UpdateCachedStats
{
    public const string Kind = "feedback.update_cached_stats";
}

internal sealed class UpdateCachedStatsHandler(SystemFigures figures) : IJobHandler<UpdateCachedStats>
{
    public Task RunAsync(UpdateCachedStats job, JobContext context, CancellationToken ct) => figures.UpdateCachedAsync(ct);
}

/// <summary>Ends the streaks of those who have not done anything for a day and a half.</summary>
internal sealed record ResetStreaks
{
    public const string Kind = "feedback.reset_streaks";

    public static readonly TimeSpan Every = TimeSpan.FromHours(4);
}

internal sealed class ResetStreaksHandler(NpgsqlDataSource source, TimeProvider time) : IJobHandler<ResetStreaks>
{
    private static readonly TimeSpan Idle = TimeSpan.FromHours(36);

    public Task RunAsync(ResetStreaks job, JobContext context, CancellationToken ct) => source.ExecuteAsync(
        Statement.Of("""
            update feedback.user set streak_days = 0, streak_last_day_date = null
            where last_activity_date < $1 and streak_last_day_date is not null
            """, time.GetUtcNow() - Idle),
        ct);
}
