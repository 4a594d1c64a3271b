using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Jobs;

/// <summary>One run of a process, as its user sees it.</summary>
/// <param name="Run">From 1 on; those that were put off are counted too.</param>
/// <param name="State">
/// <c>running</c>, <c>succeeded</c>, <c>failed</c>, <c>dead</c>, <c>snoozed</c> (put off), <c>released</c> (its host stopped), <c>lost</c>
/// (its host died), <c>discarded</c>, <c>cancelled</c>.
/// </param>
internal sealed record JobRun(
    int Run, string State, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, long? DurationMs, string? Error, Spending? Spent)
{
    // What other exceptions say may name addresses of ours.
    private const string Own = "Failure: ";

    /// <summary>Nothing went wrong: its time had not come.</summary>
    [JsonIgnore]
    public bool IsWaiting => State is "snoozed" or "released";

    /// <summary>Oldest first. Of very many the first are not kept.</summary>
    public static IReadOnlyList<JobRun> Of(JobRow row)
    {
        List<JobRun> runs = [.. row.History.EnumerateArray().Where(IsRun).Select(Read)];
        if (row.State is JobState.Running or JobState.Succeeded && (runs.Count == 0 || runs[^1].Run != row.Attempt))
        {
            // A success that asked no model has no entry.
            runs.Add(Made(row.Attempt, row.State is JobState.Running ? "running" : "succeeded",
                row.StartedAt, row.FinishedAt, error: null, spent: null));
        }
        return runs;
    }

    public static string? ErrorOf(string? error) => error is null ? null
        : error.StartsWith(Own, StringComparison.Ordinal) ? error[Own.Length..]
        : "Something went wrong on our side";

    private static bool IsRun(JsonElement entry) =>
        entry.TryGetProperty("attempt", out _) && !entry.TryGetProperty("by", out _) && entry.GetProperty("state").GetString() != "expired";

    private static JobRun Read(JsonElement entry)
    {
        var state = entry.GetProperty("state").GetString()!;
        var reason = entry.TryGetProperty("reason", out var told) ? told.GetString() : null;
        return Made(
            entry.GetProperty("attempt").GetInt32(), state,
            entry.TryGetProperty("started_at", out var started) ? started.GetDateTimeOffset() : null,
            entry.GetProperty("at").GetDateTimeOffset(), state is "failed" or "dead" ? ErrorOf(reason) : reason,
            entry.TryGetProperty("spent", out var spent) ? Spending.Read(spent) : null);
    }

    private static JobRun Made(int run, string state, DateTimeOffset? started, DateTimeOffset? ended, string? error, Spending? spent) =>
        new(run, state, started, ended, (long?)(ended - started)?.TotalMilliseconds, error, spent);
}

/// <summary>What questions to models came to.</summary>
/// <param name="Cost">US dollars; null where one of the models has no price.</param>
internal sealed record Spending(long Calls, long InputTokens, long OutputTokens, decimal? Cost)
{
    public static readonly Spending None = new(0, 0, 0, 0);

    public Spending With(Spending other) =>
        new(Calls + other.Calls, InputTokens + other.InputTokens, OutputTokens + other.OutputTokens, Cost + other.Cost);

    public static Spending Read(JsonElement spent) => new(
        spent.GetProperty("calls").GetInt64(), spent.GetProperty("input_tokens").GetInt64(), spent.GetProperty("output_tokens").GetInt64(),
        spent.TryGetProperty("cost", out var cost) ? cost.GetDecimal() : null);
}
