using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Delivery;

/// <summary>The queue of runs, for whoever operates the installation.</summary>
internal static class QueueApi
{
    private const int MostAtOnce = 10_000;

    public static void MapQueue(this IEndpointRouteBuilder routes)
    {
        var queue = routes.MapGroup("/queue").WithTags("Queue").RequireOperator();
        queue.MapGet("/", GetAsync).WithSummary("How many runs wait, and how many are dead letters");
        queue.MapPost("/replay", ReplayAsync).WithSummary("Take dead letters back into the queue, oldest first");
    }

    internal static async Task<Ok<QueueState>> GetAsync(Caller caller, RunQueue queue, CancellationToken ct) =>
        TypedResults.Ok(await queue.StateAsync(ct));

    internal static async Task<Ok<Replayed>> ReplayAsync(Replay wish, Caller caller, RunQueue queue, CancellationToken ct) =>
        wish.Limit is < 1 or > MostAtOnce
            ? throw Failure.Invalid($"limit must be between 1 and {MostAtOnce}", "limit")
            : TypedResults.Ok(new Replayed(await queue.ReplayAsync(wish.Limit, ct)));

    /// <summary>What it does not know is refused: nobody who meant something else replays a queue.</summary>
    [JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
    internal sealed record Replay(int Limit = 100);

    internal sealed record Replayed(int Count);
}
