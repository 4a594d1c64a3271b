using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>Which of an agent's runs are asked for, by the query of GTWY's wire. Filters of several values take any of them.</summary>
internal sealed record AnalyticsQuery
{
    private const int MostDays = 365;
    private const int MostPages = 10_000;
    private const int MostPerPage = 100;

    public string? Range { get; init; }

    public string? Interval { get; init; }

    [FromQuery(Name = "start_date")]
    public string? StartDate { get; init; }

    [FromQuery(Name = "end_date")]
    public string? EndDate { get; init; }

    public string[]? Model { get; init; }

    public string[]? Service { get; init; }

    [FromQuery(Name = "user_feedback")]
    public string? UserFeedback { get; init; }

    public string? Error { get; init; }

    [FromQuery(Name = "version_id")]
    public string? VersionId { get; init; }

    [FromQuery(Name = "testcase_id")]
    public string? TestcaseId { get; init; }

    public string? Keyword { get; init; }

    [FromQuery(Name = "message_id")]
    public string? MessageId { get; init; }

    /// <summary>Functions that were called: their ids, those of their scripts, or their names.</summary>
    [FromQuery(Name = "tool_id")]
    public string[]? ToolId { get; init; }

    /// <summary>Agents that were called.</summary>
    [FromQuery(Name = "agent_id")]
    public string[]? CalledAgentId { get; init; }

    /// <summary>Knowledge bases that were asked.</summary>
    [FromQuery(Name = "knowledgebase_id")]
    public string[]? KnowledgebaseId { get; init; }

    [FromQuery(Name = "review_failed")]
    public string? ReviewFailed { get; init; }

    [FromQuery(Name = "filter_by")]
    public string? FilterBy { get; init; }

    public string? Analytics { get; init; }

    public string? Page { get; init; }

    [FromQuery(Name = "page_size")]
    public string? PageSize { get; init; }

    /// <summary>Without one the answer is the list of threads, with one that of the runs that match.</summary>
    public bool HasFilter =>
        Model is { Length: > 0 } || Service is { Length: > 0 } || Feedback is not null || OnlyErrors || OnlyWithheld
        || ToolId is { Length: > 0 } || CalledAgentId is { Length: > 0 } || KnowledgebaseId is { Length: > 0 }
        || ((string?[])[VersionId, TestcaseId, Keyword, MessageId, FilterBy]).Any(filter => !string.IsNullOrEmpty(filter));

    public bool OnlyErrors => Error is "true";

    /// <summary>Those that did not pass a check of what was said or answered.</summary>
    public bool OnlyWithheld => ReviewFailed is "true";

    public bool WithSummary => Analytics is "true";

    /// <summary>1 for thumbs up, 2 for thumbs down; null for any.</summary>
    public short? Feedback => UserFeedback switch { "good" => 1, "bad" => 2, _ => null };

    /// <summary>What the chart of the summary is divided by.</summary>
    public string Bucket(DateTimeOffset from, DateTimeOffset to) => Interval switch
    {
        "hour" or "1h" or "hourly" => "hour",
        "day" or "1d" or "daily" => "day",
        _ => to - from <= TimeSpan.FromDays(2) ? "hour" : "day",
    };

    public int PageNumber => Whole(Page, 1, MostPages, "page") ?? 1;

    public int RowsPerPage => Whole(PageSize, 1, MostPerPage, "page_size") ?? 20;

    /// <summary>The dates, or the last days or hours (<c>30</c>, <c>7d</c>, <c>24h</c>); 30 days when nothing is said.</summary>
    public (DateTimeOffset From, DateTimeOffset To) Window(DateTimeOffset now)
    {
        if (!string.IsNullOrEmpty(StartDate))
        {
            var (from, to) = MetricsQuery.Dates(StartDate, EndDate);
            return (from, to ?? now);
        }
        var length = Range switch
        {
            null or "" => TimeSpan.FromDays(30),
            [.. var hours, 'h'] => TimeSpan.FromHours(Whole(hours, 1, MostDays * 24, "range") ?? throw WrongRange()),
            [.. var days, 'd'] => TimeSpan.FromDays(Whole(days, 1, MostDays, "range") ?? throw WrongRange()),
            _ => TimeSpan.FromDays(Whole(Range, 1, MostDays, "range")!.Value),
        };
        return (now - length, now);
    }

    private static Failure WrongRange() => Failure.Invalid("range must be a number of days, or like 24h or 7d", "range");

    private static int? Whole(string? text, int least, int most, string field) => string.IsNullOrEmpty(text) ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number
        : throw Failure.Invalid($"{field} must be a number from {least} to {most}", field);
}
