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
        [FromQuery(Name = "key_id")] string? keyId = null, string? provider = null, string? model = null,
        [FromQuery(Name = "agent_id")] string? agentId = null, [FromQuery(Name = "version_id")] string? versionId = null,
        [FromQuery(Name = "provider_key_id")] string? providerKeyId = null, [FromQuery(Name = "thread_id")] string? threadId = null,
        string? surface = null, bool percentiles = false)
    {
        var groups = (groupBy ?? "provider,model").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (Array.Find(groups, group => !UsageQueries.Groups.ContainsKey(group)) is { } unknown)
        {
            throw Failure.Invalid($"`{unknown}` is none of {string.Join(", ", UsageQueries.Groups.Keys)}", "group_by");
        }
        if (groups.Distinct(StringComparer.Ordinal).Count() != groups.Length
            || groups.Count(group => group is "quarter" or "hour" or "day") > 1)
        {
            throw Failure.Invalid("Each group can be named once, and only one of quarter, hour and day", "group_by");
        }
        var filter = Filter(caller, time, from, to, keyId, provider, model, agentId, versionId, providerKeyId, threadId, surface);
        var sums = await queries.SumAsync(filter, groups, MaxGroups, ct, percentiles);
        return TypedResults.Ok(new Sums(filter.From, filter.To, sums));
    }

    internal static async Task<Ok<Listing<Call>>> CallsAsync(
        Caller caller, UsageQueries queries, TimeProvider time, CancellationToken ct,
        string? from = null, string? to = null, [FromQuery(Name = "key_id")] string? keyId = null,
        string? provider = null, string? model = null,
        [FromQuery(Name = "agent_id")] string? agentId = null, [FromQuery(Name = "version_id")] string? versionId = null,
        [FromQuery(Name = "provider_key_id")] string? providerKeyId = null, [FromQuery(Name = "thread_id")] string? threadId = null,
        string? surface = null, [FromQuery(Name = "request_id")] string? requestId = null, string? after = null, int limit = 50)
    {
        var filter = Filter(caller, time, from, to, keyId, provider, model, agentId, versionId, providerKeyId, threadId, surface);
        var request = QueryValues.Text(requestId, "request_id");
        var last = QueryValues.Id(after, "after");
        var calls = await Listing.ReadAsync(limit, most => queries.CallsAsync(filter, request, last, most, ct), call => call.Id, MaxCalls);
        return TypedResults.Ok(calls.Select(Call.Of));
    }

    private static UsageFilter Filter(
        Caller caller, TimeProvider time, string? from, string? to, string? keyId, string? provider, string? model,
        string? agentId, string? versionId, string? providerKeyId, string? threadId, string? surface)
    {
        var start = QueryValues.Instant(from, "from") ?? new(time.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
        var end = QueryValues.Instant(to, "to");
        if (start.Year is < 1900 or > 9000 || end is { Year: > 9000 })
        {
            throw Failure.Invalid("from and to must be times of our age", "from");
        }
        if (end <= start)
        {
            throw Failure.Invalid("to must be after from", "to");
        }
        return new(
            caller.OrganizationId, start, end, caller.Key is { IsAdmin: false } key ? key.Id : QueryValues.Id(keyId, "key_id"),
            QueryValues.Text(provider, "provider"), QueryValues.Text(model, "model"), QueryValues.Text(agentId, "agent_id"),
            QueryValues.Text(versionId, "version_id"),
            QueryValues.Text(providerKeyId, "provider_key_id"), QueryValues.Text(threadId, "thread_id"),
            Surface: QueryValues.Text(surface, "surface"));
    }

    internal sealed record Sums(DateTimeOffset From, DateTimeOffset? To, IReadOnlyList<UsageSum> Items);

    internal sealed record Call(
        Guid Id, DateTimeOffset At, Guid KeyId, string RequestId, string Surface,
        string Provider, string Model, string Outcome, string? Error,
        int Status, bool IsStream, bool IsEstimated, int Attempts, long InputTokens, long CacheReadTokens, long CacheWriteTokens,
        long OutputTokens, long ReasoningTokens, decimal? Cost, int LatencyMs, int? FirstByteMs, bool IsCached,
        string? AgentId, string? VersionId, string? ProviderKeyId, string? ThreadId)
    {
        public static Call Of(UsageRecord row) => new(
            row.Id, row.At, row.KeyId, row.RequestId, row.Surface, row.Provider,
            row.Model, NameOf(row.Outcome), row.Error.Length > 0 ? row.Error : null,
            row.Status, row.IsStream, row.IsEstimated, row.Attempts, row.InputTokens, row.CacheReadTokens, row.CacheWriteTokens,
            row.OutputTokens, row.ReasoningTokens, row.Cost, row.LatencyMs, row.FirstByteMs, row.IsCached,
            Given(row.AgentId), Given(row.VersionId), Given(row.ProviderKeyId), Given(row.ThreadId));

        private static string? Given(string id) => id.Length > 0 ? id : null;

        private static string NameOf(CallOutcome outcome) => outcome switch
        {
            CallOutcome.Succeeded => "succeeded",
            CallOutcome.Failed => "failed",
            CallOutcome.Cancelled => "cancelled",
        };
    }
}
