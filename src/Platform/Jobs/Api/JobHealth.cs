using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Api;

/// <summary>
/// For whoever wakes people: has each kind of job succeeded within the time that its rules demand (<see cref="JobRules.LateAfter"/>)?
/// Apart from readiness, because a late job is no reason to send callers elsewhere.
/// </summary>
internal static class JobHealth
{
    public static void MapJobHealth(this IEndpointRouteBuilder routes) => routes.MapGet("/healthz/jobs", LookAsync)
        .WithGroupName("stoa").WithTags("Operations").AllowAnyone().Internal().ExcludeFromDescription();

    internal static async Task<JsonHttpResult<Report>> LookAsync(JobStore store, CancellationToken ct)
    {
        var late = (await store.OverviewAsync(ct)).Where(kind => kind.IsLate)
            .Select(kind => new LateKind(kind.Kind, kind.SucceededAt, kind.LateAfter!.Value.TotalSeconds)).ToList();
        return TypedResults.Json(
            new Report(late.Count == 0 ? "ok" : "late", late), JobsJson.Default.Report,
            statusCode: late.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    internal sealed record Report(string Status, IReadOnlyList<LateKind> Kinds);

    /// <param name="SucceededAt">Null when it never has.</param>
    internal sealed record LateKind(string Kind, DateTimeOffset? SucceededAt, double LateAfterSeconds);
}
