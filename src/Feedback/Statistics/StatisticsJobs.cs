using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Statistics;

/// <summary>Both boards.</summary>
internal sealed class BoardUpdates(NpgsqlDataSource source, TimeProvider time)
{
    /// <param name="everyone">Counts all of the total again, not only those whom something new concerns.</param>
    public Task RunAsync(TimeFrame frame, bool everyone, CancellationToken ct) => RunAsync([frame], everyone, ct);

    /// <summary>All frames in one go, everything counted again.</summary>
    public Task RunAsync(CancellationToken ct) =>
        RunAsync([TimeFrame.Total, TimeFrame.Month, TimeFrame.Week, TimeFrame.Day], everyone: true, ct);

    private Task RunAsync(IReadOnlyList<TimeFrame> frames, bool everyone, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return Task.WhenAll(
            UserStatistics.Update.RunAsync(source, frames, now, everyone, ct),
            TrollStatistics.Update.RunAsync(source, frames, now, everyone, ct));
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
            where last_active_day <= ($1 at time zone 'UTC')::date and last_activity_date < $1 and streak_last_day_date is not null
            """, time.GetUtcNow() - Idle),
        ct);
}
