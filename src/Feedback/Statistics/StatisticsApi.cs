using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Statistics;

/// <summary>Figures of the whole, the boards, and what they say of one user.</summary>
internal static class StatisticsApi
{
    private const int MostOfBoard = 10_000;

    public static void MapStatistics(this IEndpointRouteBuilder routes)
    {
        var stats = routes.MapGroup("/stats").WithTags("stats");
        stats.MapGet("/", TotalsAsync).RequireTrustedClient().WithSummary("Count the messages");
        stats.MapGet("/tree_manager/state_counts", StatesAsync).RequireTrustedClient().WithSummary("Count the trees by state");
        stats.MapGet("/tree_manager/message_counts", TreesAsync).TakesQuery(OnlyActive)
            .RequireTrustedClient().WithSummary("Count the messages of each tree");
        stats.MapGet("/tree_manager", TreeManagerAsync).RequireTrustedClient().WithSummary("Both counts, of active trees");
        stats.MapGet("/cached", AllCachedAsync).RequireApiClient().WithSummary("All cached figures");
        stats.MapGet("/cached/{name}", CachedAsync).RequireApiClient().WithSummary("One of the cached figures");
        stats.MapPost("/cached/update", UpdateCachedAsync).RequireTrustedClient().WithSummary("Compute the cached figures now");

        var leaderboards = routes.MapGroup("/leaderboards").WithTags("leaderboards");
        leaderboards.MapGet("/{time_frame}", LeadersAsync).TakesQuery(Most).RequireApiClient().WithSummary("Those with the highest scores");
        leaderboards.MapPost("/update", UpdateAllAsync).RequireTrustedClient().WithSummary("Compute all boards now");
        leaderboards.MapPost("/update/{time_frame}", UpdateAsync).RequireTrustedClient().WithSummary("Compute one frame of the boards now");
        routes.MapGet("/trollboards/{time_frame}", TrollsAsync).TakesQuery(Trolls).RequireTrustedClient().WithTags("trollboards")
            .WithSummary("Those about whose messages others complain");

        var user = routes.MapGroup("/users/{user_id}/stats").WithTags("users").RequireApiClient();
        user.MapGet("", OfUserAsync).WithSummary("A user's figures in each frame");
        user.MapGet("/{time_frame}", OfUserInFrameAsync).WithSummary("A user's figures in one frame");
        user.MapGet("/{time_frame}/window", WindowAsync).TakesQuery(Window).WithSummary("Those who stand next to a user");
    }

    internal static async Task<Ok<SystemStats>> TotalsAsync(SystemFigures figures, CancellationToken ct) =>
        TypedResults.Ok(await figures.CountAsync(ct));

    internal static async Task<Ok<Dictionary<string, int>>> StatesAsync(SystemFigures figures, CancellationToken ct) =>
        TypedResults.Ok(await figures.StatesAsync(ct));

    internal static async Task<Ok<IReadOnlyList<TreeMessageCountStats>>> TreesAsync(
        HttpRequest request, SystemFigures figures, CancellationToken ct) =>
        TypedResults.Ok(await figures.TreesAsync(WireQuery.Read(request, OnlyActive), ct));

    internal static async Task<Ok<TreeManagerStats>> TreeManagerAsync(SystemFigures figures, CancellationToken ct) =>
        TypedResults.Ok(new TreeManagerStats(await figures.StatesAsync(ct), await figures.TreesAsync(onlyActive: true, ct)));

    internal static async Task<Ok<AllCachedStatsResponse>> AllCachedAsync(SystemFigures figures, CancellationToken ct)
    {
        var all = await figures.CachedAsync(name: null, ct);
        return TypedResults.Ok(new AllCachedStatsResponse(all.ToDictionary(one => one.Name, StringComparer.Ordinal)));
    }

    internal static async Task<Ok<CachedStatsResponse>> CachedAsync(string name, SystemFigures figures, CancellationToken ct)
    {
        Among(SystemFigures.CachedNames, name, "name");
        return await figures.CachedAsync(name, ct) is [var one]
            ? TypedResults.Ok(one)
            : throw FeedbackCode.CachedStatsNotAvailable.Refusal("These figures were not computed yet");
    }

    internal static async Task<NoContent> UpdateCachedAsync(SystemFigures figures, CancellationToken ct)
    {
        await figures.UpdateCachedAsync(ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<LeaderboardStats>> LeadersAsync(
        [FromRoute(Name = "time_frame")] string timeFrame, HttpRequest request, Acting acting, BoardStore boards,
        CancellationToken ct)
    {
        var frame = FrameOf(timeFrame);
        return TypedResults.Ok(await boards.LeadersAsync(frame, WireQuery.Read(request, Most), acting.UserId, ct));
    }

    internal static async Task<NoContent> UpdateAllAsync(BoardUpdates updates, CancellationToken ct)
    {
        await updates.RunAsync(ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> UpdateAsync(
        [FromRoute(Name = "time_frame")] string timeFrame, BoardUpdates updates, CancellationToken ct)
    {
        await updates.RunAsync(FrameOf(timeFrame), everyone: true, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<TrollboardStats>> TrollsAsync(
        [FromRoute(Name = "time_frame")] string timeFrame, HttpRequest request, BoardStore boards, CancellationToken ct)
    {
        var frame = FrameOf(timeFrame);
        var (most, enabled) = WireQuery.Read(request, Trolls);
        return TypedResults.Ok(await boards.TrollsAsync(frame, most, enabled, ct));
    }

    internal static async Task<Ok<Dictionary<string, UserScore>>> OfUserAsync(
        [FromRoute(Name = "user_id")] string userId, BoardStore boards, CancellationToken ct) =>
        TypedResults.Ok(await boards.OfUserAsync(WireQuery.PathId(userId, "user_id"), ct));

    internal static async Task<Ok<UserScore>> OfUserInFrameAsync(
        [FromRoute(Name = "user_id")] string userId, [FromRoute(Name = "time_frame")] string timeFrame,
        BoardStore boards, CancellationToken ct)
    {
        var (user, frame) = (WireQuery.PathId(userId, "user_id"), FrameOf(timeFrame));
        var scores = await boards.OfUserAsync(user, ct);
        return scores.TryGetValue(EnumNames<TimeFrame>.Write(frame), out var score)
            ? TypedResults.Ok(score)
            : throw FeedbackCode.UserNotFound.Refusal("There are no figures of this user in this frame");
    }

    internal static async Task<Results<Ok<LeaderboardStats>, ContentHttpResult>> WindowAsync(
        [FromRoute(Name = "user_id")] string userId, [FromRoute(Name = "time_frame")] string timeFrame,
        HttpRequest request, BoardStore boards, CancellationToken ct)
    {
        var (user, frame) = (WireQuery.PathId(userId, "user_id"), FrameOf(timeFrame));
        return await boards.WindowAsync(user, frame, WireQuery.Read(request, Window), ct) is { } window
            ? TypedResults.Ok(window)
            // A typed null has no body at all.
            : TypedResults.Text("null", "application/json");
    }

    private static bool OnlyActive(WireQuery query) => query.Flag("only_active", otherwise: true);

    private static int Most(WireQuery query) => query.Integer("max_count", 100, least: 1, most: MostOfBoard);

    private static (int Most, bool? Enabled) Trolls(WireQuery query) => (Most(query), query.OptionalFlag("enabled"));

    private static int Window(WireQuery query) => query.Integer("window_size", 5, least: 1, most: 100);

    private static TimeFrame FrameOf(string text)
    {
        Among([.. Enum.GetValues<TimeFrame>().Select(EnumNames<TimeFrame>.Write)], text, "time_frame");
        return EnumNames<TimeFrame>.Read(text);
    }

    /// <exception cref="Failure">Invalid: it is none of them.</exception>
    private static void Among(string[] allowed, string given, string name)
    {
        if (!allowed.Contains(given, StringComparer.Ordinal))
        {
            var errors = new WireErrors();
            errors.Add(
                WirePlace.Path.In(name), "type_error.enum",
                $"value is not a valid enumeration member; permitted: {string.Join(", ", allowed.Select(word => $"'{word}'"))}",
                new() { ["enum_values"] = new JsonArray([.. allowed.Select(word => JsonValue.Create(word))]) });
            errors.ThrowIfAny();
        }
    }
}
