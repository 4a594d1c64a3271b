using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Usage;

/// <summary>Usage and cost of an organization, for its people and admins' keys; of one key, for whoever holds it.</summary>
internal static class UsageApi
{
    private const int MaxGroups = 10_000;
    private const int MaxCalls = 1_000;

    public static void MapUsage(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/usage").WithTags("Usage").RequireCaller(MemberRole.Viewer);
        group.MapGet("/", SumAsync).WithSummary("Sum usage and cost")
            .WithDescription("Sums calls, tokens and cost, by default of today (UTC) by provider and model. Sums equal the rows exactly.");
        group.MapGet("/calls", CallsAsync).WithSummary("List single calls, newest first");
    }

    internal static async Task<Ok<Sums>> SumAsync(
        Caller caller, UsageQueries queries, TimeProvider time, CancellationToken ct,
        string? from = null, string? to = null, [FromQuery(Name = "group_by")] string? groupBy = null,
        [FromQuery(Name = "key_id")] string? keyId = null, string? provider = null, string? model = null)
    {
        var groups = (groupBy ?? "provider,model").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (Array.Find(groups, group => !UsageQueries.Groups.ContainsKey(group)) is { } unknown)
        {
            throw Failure.Invalid($"`{unknown}` is none of {string.Join(", ", UsageQueries.Groups.Keys)}", "group_by");
        }
        if (groups.Distinct(StringComparer.Ordinal).Count() != groups.Length || groups.Count(group => group is "quarter" or "hour" or "day") > 1)
        {
            throw Failure.Invalid("Each group can be named once, and only one of quarter, hour and day", "group_by");
        }
        var filter = Filter(caller, time, from, to, keyId, provider, model);
        var sums = await queries.SumAsync(filter, groups, MaxGroups, ct);
        return TypedResults.Ok(new Sums(filter.From, filter.To, sums));
    }

    internal static async Task<Ok<Calls>> CallsAsync(
        Caller caller, UsageQueries queries, TimeProvider time, CancellationToken ct,
        string? from = null, string? to = null, [FromQuery(Name = "key_id")] string? keyId = null, string? provider = null, string? model = null,
        [FromQuery(Name = "request_id")] string? requestId = null, string? after = null, int limit = 50)
    {
        if (limit is < 1 or > MaxCalls)
        {
            throw Failure.Invalid(string.Create(CultureInfo.InvariantCulture, $"limit must be between 1 and {MaxCalls}"), "limit");
        }
        var filter = Filter(caller, time, from, to, keyId, provider, model);
        var rows = await queries.CallsAsync(filter, Text(requestId, "request_id"), Id(after, "after"), limit + 1, ct);
        var page = rows.Take(limit).Select(Call.Of).ToList();
        return TypedResults.Ok(new Calls(page, rows.Count > limit, page is [.., var last] ? last.Id : null));
    }

    private static UsageFilter Filter(Caller caller, TimeProvider time, string? from, string? to, string? keyId, string? provider, string? model)
    {
        var start = Instant(from, "from") ?? new(time.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
        var end = Instant(to, "to");
        if (end <= start)
        {
            throw Failure.Invalid("to must be after from", "to");
        }
        return new(caller.OrganizationId, start, end, caller.Key is { IsAdmin: false } key ? key.Id : Id(keyId, "key_id"), Text(provider, "provider"), Text(model, "model"));
    }

    private static DateTimeOffset? Instant(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw Failure.Invalid($"{field} must be an ISO 8601 time", field);
    }

    private static Guid? Id(string? text, string field) => string.IsNullOrEmpty(text) ? null
        : Guid.TryParse(text, out var id) ? id
        : throw Failure.Invalid($"{field} must be an id", field);

    private static string? Text(string? text, string field) => text?.Contains('\0', StringComparison.Ordinal) == true
        ? throw Failure.Invalid($"{field} holds a character that no name has", field)
        : text;

    internal sealed record Sums(DateTimeOffset From, DateTimeOffset? To, IReadOnlyList<UsageSum> Data);

    /// <param name="LastId">Pass it as <c>after</c> for the next page.</param>
    internal sealed record Calls(IReadOnlyList<Call> Data, bool HasMore, Guid? LastId);

    internal sealed record Call(
        Guid Id, DateTimeOffset At, Guid KeyId, string RequestId, string Surface, string Provider, string Model, string Outcome, string? Error,
        int Status, bool IsStream, bool IsEstimated, int Attempts, long InputTokens, long CacheReadTokens, long CacheWriteTokens,
        long OutputTokens, long ReasoningTokens, decimal? Cost, int LatencyMs, int? FirstByteMs)
    {
        public static Call Of(UsageRecord row) => new(
            row.Id, row.At, row.KeyId, row.RequestId, row.Surface, row.Provider, row.Model, NameOf(row.Outcome), row.Error.Length > 0 ? row.Error : null,
            row.Status, row.IsStream, row.IsEstimated, row.Attempts, row.InputTokens, row.CacheReadTokens, row.CacheWriteTokens,
            row.OutputTokens, row.ReasoningTokens, row.Cost, row.LatencyMs, row.FirstByteMs);

        private static string NameOf(CallOutcome outcome) => outcome switch
        {
            CallOutcome.Succeeded => "succeeded",
            CallOutcome.Failed => "failed",
            CallOutcome.Cancelled => "cancelled",
        };
    }
}
