using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;

namespace Stoa.Gateway.History;

/// <summary>What of an agent's history is asked for, as the query of the wire says it.</summary>
internal sealed record HistoryFilter
{
    private const int MaxKeyword = 500;
    private const string Escape = "!";

    [FromQuery(Name = "user_feedback")]
    public string? UserFeedback { get; init; }

    [FromQuery(Name = "error")]
    public string? Error { get; init; }

    [FromQuery(Name = "version_id")]
    public string? VersionId { get; init; }

    [FromQuery(Name = "testcase_id")]
    public string? TestcaseId { get; init; }

    [FromQuery(Name = "keyword")]
    public string? Keyword { get; init; }

    [FromQuery(Name = "filter_by")]
    public string? FilterBy { get; init; }

    [FromQuery(Name = "start_date")]
    public string? StartDate { get; init; }

    [FromQuery(Name = "end_date")]
    public string? EndDate { get; init; }

    /// <summary>The columns that <c>filter_by</c> may name.</summary>
    private static readonly string[] Columns =
        ["service", "model", "version_id", "thread_id", "sub_thread_id", "message_id", "finish_reason"];

    public bool HasKeyword => !string.IsNullOrEmpty(Keyword);

    public bool IsEmpty => !HasKeyword && UserFeedback is null or "all" && Error is null or "false"
        && (VersionId, TestcaseId, FilterBy, StartDate, EndDate) is (null, null, null, null, null);

    /// <exception cref="Failure">Invalid: a value that the wire does not know.</exception>
    public IQueryable<AgentRun> Apply(IQueryable<AgentRun> runs)
    {
        if (UserFeedback is not (null or "all"))
        {
            var feedback = UserFeedback is "0" or "1" or "2"
                ? (short)(UserFeedback[0] - '0')
                : throw Failure.Invalid("user_feedback must be all, 0, 1 or 2", "user_feedback");
            runs = runs.Where(run => run.UserFeedback == feedback);
        }
        if (Error is not (null or "true" or "false"))
        {
            throw Failure.Invalid("error must be true or false", "error");
        }
        if (Error == "true")
        {
            // What has not ended waits in a batch.
            runs = runs.Where(run => !run.IsSuccess && (run.BatchId == null || run.FinishReason != null));
        }
        if (QueryValues.Text(VersionId, "version_id") is { } version)
        {
            runs = runs.Where(run => run.VersionId == version);
        }
        if (QueryValues.Text(TestcaseId, "testcase_id") is { } testcase)
        {
            runs = runs.Where(run => run.TestcaseId == testcase);
        }
        if (QueryValues.Instant(StartDate, "start_date") is { } start)
        {
            runs = runs.Where(run => run.CreatedAt >= start);
        }
        if (QueryValues.Instant(EndDate, "end_date") is { } end)
        {
            runs = runs.Where(run => run.CreatedAt < end);
        }
        return ApplyColumns(ApplyKeyword(runs));
    }

    private IQueryable<AgentRun> ApplyKeyword(IQueryable<AgentRun> runs)
    {
        if (string.IsNullOrEmpty(Keyword))
        {
            return runs;
        }
        if (Keyword.Length > MaxKeyword)
        {
            throw Failure.Invalid($"keyword must have at most {MaxKeyword} characters", "keyword");
        }
        var word = Keyword.Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal)
            .Replace("_", "!_", StringComparison.Ordinal);
        var (anywhere, start) = ($"%{word}%", $"{word}%");
        return runs.Where(run => EF.Functions.ILike(run.UserMessage!, anywhere, Escape) || EF.Functions.ILike(run.Answer!, anywhere, Escape)
            || EF.Functions.ILike(run.MessageId, start, Escape) || EF.Functions.ILike(run.ThreadId, start, Escape)
            || EF.Functions.ILike(run.BatchId!, anywhere, Escape));
    }

    private IQueryable<AgentRun> ApplyColumns(IQueryable<AgentRun> runs)
    {
        foreach (var (column, value) in ColumnsOf(FilterBy))
        {
            var property = string.Concat(column.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
            runs = runs.Where(run => EF.Property<string?>(run, property) == value);
        }
        return runs;
    }

    /// <summary>What <c>filter_by</c> says, an object of columns and their values; nothing where it is not given.</summary>
    /// <exception cref="Failure">Invalid: it is none, or names a column that it may not.</exception>
    public static IReadOnlyList<(string Column, string Value)> ColumnsOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return [];
        }
        try
        {
            using var json = JsonDocument.Parse(text);
            var columns = json.RootElement.EnumerateObject()
                .Select(member => (member.Name, QueryValues.Text(member.Value.GetString(), "filter_by") ?? "")).ToList();
            return columns.TrueForAll(column => Columns.Contains(column.Name, StringComparer.Ordinal))
                ? columns
                : throw Failure.Invalid($"filter_by may name {string.Join(", ", Columns)}", "filter_by");
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw Failure.Invalid("filter_by must be a JSON object of texts", "filter_by");
        }
    }
}
