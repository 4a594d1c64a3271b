using System.Text.Json;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>A job as people see it, finished or not.</summary>
/// <param name="History">
/// Oldest first: <c>{"at", "state", "attempt", "node", "started_at", "reason", "by", "spent"}</c>. A run that succeeded has an entry only
/// when it asked models: <c>spent</c> is <c>{"calls", "input_tokens", "output_tokens", "cost"}</c>.
/// </param>
public sealed record JobRow(
    Guid Id, string Kind, JobState State, JobPriority Priority,
    DateTimeOffset RunAt, JsonElement Args, JobOwner Owner, string? CorrelationId,
    DateTimeOffset CreatedAt, Guid? ReplayOf, int MaxAttempts, string? UniqueKey, Guid? After, int Attempt, int Snoozed, string? Node,
    DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, long? ProgressDone, long? ProgressTotal, string? ProgressNote, string? Error,
    string? Fingerprint, JsonElement History, string? LimitKey, bool IsCancelRequested)
{
    /// <summary>Columns that <see cref="Read"/> takes.</summary>
    internal const int Width = 30;

    internal const string Open = $"{Both}, null::timestamptz as finished_at, cancel_requested_at is not null as is_cancel_requested";

    internal const string Finished = $"{Both}, finished_at, false as is_cancel_requested";

    private const string Both = """
        id, kind, state, priority, run_at, args::text as args, organization_id, person_id, key_id, tenant, created_by, correlation_id,
        created_at, replay_of, max_attempts, unique_key, after_id, attempt, snoozed, node, started_at, progress_done, progress_total,
        progress_note, error, fingerprint, history::text as history, limit_key
        """;

    /// <summary>Runs so far that count.</summary>
    public int Attempts => Attempt - Snoozed;

    internal static JobRow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), EnumNames<JobState>.Read(row.GetString(2)), (JobPriority)row.GetInt16(3), row.Instant(4),
        Json(row.GetString(5)), new(row.GuidOrNull(6), row.GuidOrNull(7), row.GuidOrNull(8), row.GetString(9), row.GetString(10)),
        row.StringOrNull(11), row.Instant(12), row.GuidOrNull(13), row.GetInt32(14), row.StringOrNull(15), row.GuidOrNull(16),
        row.GetInt32(17), row.GetInt32(18), row.StringOrNull(19), row.InstantOrNull(20), row.InstantOrNull(28),
        Number(row, 21), Number(row, 22), row.StringOrNull(23), row.StringOrNull(24), row.StringOrNull(25),
        Json(row.GetString(26)), row.StringOrNull(27), row.GetBoolean(29));

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}

/// <summary>Which jobs to list, newest first. Absent filters let everything through.</summary>
public sealed record JobFilter
{
    /// <summary>Only what somebody may see; null for an operator, who sees all.</summary>
    public JobScope? Scope { get; init; }

    public Guid? OrganizationId { get; init; }

    public Guid? KeyId { get; init; }

    /// <summary>As <see cref="JobOwner.CreatedBy"/>.</summary>
    public string? CreatedBy { get; init; }

    public Guid? PersonId { get; init; }

    /// <summary>As <see cref="JobOwner.Tenant"/>; the id of the organization where nothing else was said.</summary>
    public string? Tenant { get; init; }

    public string? Kind { get; init; }

    public IReadOnlyList<JobState> States { get; init; } = [];

    /// <summary>At least so many runs that count.</summary>
    public int? MinAttempts { get; init; }

    /// <summary>Words in the arguments or the error.</summary>
    public string? Text { get; init; }

    /// <summary>Dead letters of one cause.</summary>
    public string? Fingerprint { get; init; }

    public DateTimeOffset? CreatedFrom { get; init; }

    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary><c>Next</c> of the page before.</summary>
    public Guid? BeforeId { get; init; }

    public int Limit { get; init; } = 50;
}

/// <summary>How a kind fares, in the whole cluster. A kind is its own queue: it is paused and resumed as one.</summary>
public sealed record KindOverview(
    string Kind, long Available, long Running, long Waiting, long Parked, TimeSpan OldestAge, DateTimeOffset? PausedAt, string? PausedBy,
    DateTimeOffset? SucceededAt, TimeSpan? LateAfter, bool IsLate);
