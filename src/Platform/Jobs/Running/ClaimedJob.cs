using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>A job as a node gets it with its lease. <see cref="Attempt"/> is the number that fences whatever this run writes.</summary>
internal sealed record ClaimedJob(
    Guid Id, string Kind, string Args, int Attempt, int Snoozed,
    int MaxAttempts, JobPriority Priority, DateTimeOffset RunAt, TimeSpan Waited,
    TimeSpan? TimeLeft, DateTimeOffset CreatedAt, string? TraceParent)
{
    /// <summary>For <c>returning</c>, of the row as the claim leaves it.</summary>
    public const string Columns = """
        j.id, j.kind, j.args::text, j.attempt, j.snoozed, j.max_attempts, j.priority, j.run_at, now() - j.run_at, j.expires_at - now(),
        j.created_at, j.trace_parent
        """;

    /// <summary>This run among those that count, from 1 on.</summary>
    public int Counted => Attempt - Snoozed;

    public static ClaimedJob Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4), row.GetInt32(5), (JobPriority)row.GetInt16(6),
        row.GetFieldValue<DateTimeOffset>(7), row.GetTimeSpan(8), row.IsDBNull(9) ? null : row.GetTimeSpan(9),
        row.GetFieldValue<DateTimeOffset>(10), row.StringOrNull(11));
}
